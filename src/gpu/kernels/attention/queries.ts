/** Query rows of one layer, as the decoder provides them. */
export interface Queries {
  /** [rows, heads, headDim] rotated, not scaled. */
  readonly q: GPUBuffer;
  /** [rows, heads] natural log-sum-exp of the scaled scores. */
  readonly lse: GPUBuffer;
}
