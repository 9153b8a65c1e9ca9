// group_128: 128 neighbouring weights of a row share a scale. See weight_grouped.wgsl.
const GROUP4 = 32u;
