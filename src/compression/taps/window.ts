import { foldQueries, maxOfRows, meanOfRows } from "./fold";
import { observationRows } from "./prompt";
import type { RowScores, TapDefinition } from "./tap";

/** The last `rows` queries, at most `observationRows`. */
export interface WindowSpec {
  readonly rows: number;
  /**
   * `mean`: mean over those rows and the group; `max`: largest value over rows and group; `defensive`:
   * each query row, cut to the keys before the window (j < N - rows), average-pooled with `kernel`
   * (stride 1, zero padding, divisor `kernel`) and rescaled to the mass it had before pooling, then the
   * largest value over rows and group; 0 for the window's own keys.
   */
  readonly aggregate: "mean" | "max" | "defensive";
  /** Odd; used by `defensive` only. */
  readonly kernel: number;
}

/** The attention of an observation window, joined. [L, G, N] */
export const window: TapDefinition<WindowSpec, RowScores> = {
  examples: [
    { rows: 11, aggregate: "mean", kernel: 1 },
    { rows: 40, aggregate: "max", kernel: 1 },
    { rows: 9, aggregate: "defensive", kernel: 5 },
    { rows: 999, aggregate: "mean", kernel: 1 },
  ],
  reference({ rows, aggregate, kernel }, input) {
    const count = observationRows(input, rows);
    const first = input.rows - count;
    switch (aggregate) {
      case "mean":
        return foldQueries(input, first, meanOfRows(1 / count));
      case "max":
        return foldQueries(input, first, maxOfRows);
      case "defensive":
        return foldQueries(input, first, (out, group) => {
          maxOfRows(
            out,
            group.map((row) => poolToOwnMass(row.subarray(0, first), kernel)),
          );
        });
      default:
        return aggregate satisfies never;
    }
  },
};

/** Average pooling, rescaled so that the row keeps its sum. */
function poolToOwnMass(row: Float32Array, kernel: number): Float32Array {
  const half = Math.floor(kernel / 2);
  const pooled = new Float64Array(row.length);
  for (let key = 0; key < row.length; key++) {
    for (let i = 0; i < kernel; i++) pooled[key]! += (row[key + i - half] ?? 0) / kernel;
  }
  const mass = row.reduce((sum, value) => sum + value, 0);
  const pooledMass = pooled.reduce((sum, value) => sum + value, 0);
  const scale = pooledMass > 0 ? mass / pooledMass : 0;
  return Float32Array.from(pooled, (value) => value * scale);
}
