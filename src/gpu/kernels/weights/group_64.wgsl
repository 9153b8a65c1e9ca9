// group_64: 64 neighbouring weights of a row share a scale. See weight_grouped.wgsl.
const GROUP4 = 16u;
