import { createRoundRows } from "../kernels/cache/roundRows";
import { loadKvRows } from "../kernels/kv/kvRows";
import { KV_BLOCK, kvRowBytes } from "../kernels/kv/kvType";
import { CHECK_ROWS, type ReductionCheck } from "./checkRun";
import { maxError, randomFloats } from "./reference";

/** Rows that codes hold as they are: from -1 to 1 in steps of a code, both ends in every group of 32. */
function codedRows(rows: number, headDim: number, levels: number): Float32Array<ArrayBuffer> {
  const random = randomFloats(rows * headDim, 17);
  return random.map((value, at) => {
    const place = (at % headDim) % 32;
    const code = place === 0 ? 0 : place === 1 ? levels : Math.round(((value + 1) / 2) * levels);
    return (2 * code) / levels - 1;
  });
}

/** Rounding of new rows, where the cache holds codes. */
export const roundedRows: ReductionCheck = async (context) => {
  const { gpu, reduction, spec, scratch, recorder } = context;
  const { kvType, shape } = spec;
  if (kvType !== "q8" && kvType !== "q4") return async () => 0;
  const { kvHeads, headDim } = shape;
  const roundRows = await createRoundRows(gpu, kvType, shape, reduction);
  const values = codedRows(kvHeads * KV_BLOCK, headDim, kvType === "q8" ? 255 : 15);
  const [newKeys, newValues] = [scratch.upload(values), scratch.upload(values.toReversed())];
  const words = (kvHeads * KV_BLOCK * kvRowBytes(kvType, headDim)) / 4;
  const [keys, stored] = [scratch.empty(words), scratch.empty(words)];
  const regions = Array.from({ length: kvHeads }, (_, head) => [head * KV_BLOCK, 0, KV_BLOCK, 0]);
  const table = scratch.upload(Uint32Array.from(regions.flat()));
  const from = { binding: { keys: newKeys, values: newValues, table, layer: 0 }, stride: KV_BLOCK };
  const cache = { keys, values: stored, table, layer: 0 };
  roundRows(recorder, { from, cache, rows: CHECK_ROWS });
  return async () => {
    const errors = [];
    for (const [buffer, all] of [
      [keys, values],
      [stored, values.toReversed()],
    ] as const) {
      const held = loadKvRows(await scratch.readWords(buffer), headDim, kvType);
      for (let head = 0; head < kvHeads; head++) {
        const at = head * KV_BLOCK * headDim;
        const end = at + CHECK_ROWS * headDim;
        errors.push(maxError(held.slice(at, end), all.slice(at, end)));
      }
    }
    return Math.max(...errors);
  };
};
