import type { HeadShape } from "@/gpu/kernels/kv/cacheBinding";
import { loadKvRows } from "@/gpu/kernels/kv/kvRows";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { randomFloats } from "@/gpu/selfTest/reference";
import type { TestBuffers } from "@/gpu/selfTest/testBuffers";

/** One layer of a random cache whose heads hold different numbers of rows, as bound by kernels. */
export function randomCache(
  scratch: TestBuffers,
  shape: HeadShape,
  kvType: KvType,
  rowsPerHead: readonly number[],
  layer: number,
) {
  const { kvHeads, headDim } = shape;
  const capacities = rowsPerHead.map((rows) => Math.ceil((rows + 40) / 64) * 64);
  const offsets = capacities.map((_, g) => capacities.slice(0, g).reduce((a, b) => a + b, 0));
  const total = capacities.reduce((a, b) => a + b, 0) * headDim;
  const keys = scratch.storeRows(randomFloats(total, 21), headDim, kvType);
  const values = scratch.storeRows(randomFloats(total, 22), headDim, kvType);
  // Earlier layers hold rows that no kernel may read.
  const table = new Uint32Array((layer + 1) * kvHeads * 4).fill(7);
  for (let g = 0; g < kvHeads; g++) {
    const region = [offsets[g] as number, rowsPerHead[g] as number, capacities[g] as number, 0];
    table.set(region, (layer * kvHeads + g) * 4);
  }
  const head = (all: Float32Array<ArrayBuffer>) => (g: number) =>
    all.subarray((offsets[g] as number) * headDim);
  return {
    binding: {
      keys: keys.buffer,
      values: values.buffer,
      table: scratch.upload(table),
      layer,
    },
    capacity: Math.max(...capacities),
    keys: head(keys.values),
    values: head(values.values),
    before: (g: number) => rowsPerHead[g] as number,
    /** Reads a KV head's rows back, from its first slot. */
    async read(which: "keys" | "values", g: number): Promise<Float32Array<ArrayBuffer>> {
      const { buffer } = which === "keys" ? keys : values;
      const all = loadKvRows(await scratch.readWords(buffer), headDim, kvType);
      return all.subarray((offsets[g] as number) * headDim);
    },
  };
}

/** Cosines and sines of `rows` rows: [rows, headDim / 2, 2]. */
export function randomAngles(rows: number, headDim: number): Float32Array<ArrayBuffer> {
  const turns = randomFloats((rows * headDim) / 2, 23);
  return Float32Array.from({ length: rows * headDim }, (_, at) => {
    const turn = 4 * (turns[at >> 1] as number);
    return at % 2 === 0 ? Math.cos(turn) : Math.sin(turn);
  });
}
