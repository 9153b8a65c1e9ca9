// group_32: 32 neighbouring weights of a row share a scale. See weight_grouped.wgsl.
const GROUP4 = 8u;
