import type { Gpu } from "../gpu";
import { createAttend, newRowOf } from "../kernels/attention/attend";
import { ATTEND_DIVISIONS, type AttendVariant } from "../kernels/attention/attendDivision";
import { createFlash, FLASH_HEIGHTS, type FlashVariant } from "../kernels/attention/flash";
import { loadKvRows } from "../kernels/kv/kvRows";
import { CHECK_ROWS, type CheckSpec, type ReductionCheck, runCheck, worstError } from "./checkRun";
import * as reference from "./reference";
import type { TestBuffers } from "./testBuffers";

const { randomFloats } = reference;
/** Number of rows stored before the rows of a check. */
const CACHED = 70;
/** A capacity that no attention kernel takes at once. */
const MANY_SLOTS = 2048;

type Floats = Float32Array<ArrayBuffer>;
type StoredRows = ReturnType<TestBuffers["storeRows"]>;

/** A cache of one layer with `CACHED` random rows in every head, and others behind them unless `isCut`. */
function cache(
  scratch: TestBuffers,
  { kvType, shape: { kvHeads, headDim } }: CheckSpec,
  isCut = false,
) {
  const capacity = 128;
  const [keys, values] = [5, 6].map((seed) => {
    const rows = randomFloats(kvHeads * capacity * headDim, seed);
    const slotOf = (at: number) => Math.floor(at / headDim) % capacity;
    const held = isCut ? rows.map((value, at) => (slotOf(at) < CACHED ? value : 0)) : rows;
    return scratch.storeRows(held, headDim, kvType);
  }) as [StoredRows, StoredRows];
  const regions = Array.from({ length: kvHeads }, (_, head) => [
    head * capacity,
    CACHED,
    capacity,
    0,
  ]);
  const table = scratch.upload(Uint32Array.from(regions.flat()));
  const headFloats = capacity * headDim;
  const head = (all: Floats) => (g: number) => all.subarray(g * headFloats, (g + 1) * headFloats);
  return {
    binding: { keys: keys.buffer, values: values.buffer, table, layer: 0 },
    capacity,
    keys: head(keys.values),
    values: head(values.values),
    before: () => CACHED,
  };
}

export function checkFlash(gpu: Gpu, variant: FlashVariant, spec: CheckSpec): Promise<number> {
  return runCheck(gpu, async (scratch, recorder) => {
    const { shape, kvType } = spec;
    const heights = variant === "tiled" ? FLASH_HEIGHTS : [undefined];
    const layer = cache(scratch, spec);
    const queries = randomFloats(CHECK_ROWS * shape.heads * shape.headDim, 7);
    const uploaded = scratch.upload(queries);
    const expected = reference.attention({ shape, queries, ...layer });
    const results = heights.map(async (height) => {
      const flash = await createFlash(gpu, { variant, kvType, shape, ...(height && { height }) });
      const output = scratch.empty((CHECK_ROWS + 3) * shape.heads * shape.headDim);
      const lse = scratch.empty(CHECK_ROWS * shape.heads);
      flash(recorder, { cache: layer.binding, queries: uploaded, output, lse, rows: CHECK_ROWS });
      return [
        [output, expected.output],
        [lse, expected.lse],
      ] as const;
    });
    const all = (await Promise.all(results)).flat();
    return () => worstError(scratch, all);
  });
}

/** Attention of one query. */
export const checkAttend =
  (variant: AttendVariant): ReductionCheck =>
  async ({ gpu, reduction, spec, scratch, recorder }) => {
    const { shape, kvType } = spec;
    const division = ATTEND_DIVISIONS[variant];
    const attend = await createAttend(gpu, { reduction, kvType, shape, division });
    const layer = cache(scratch, spec);
    const queries = randomFloats(shape.heads * shape.headDim, 10);
    const uploaded = scratch.upload(queries);
    // A capacity of one split, and one of several: they are computed by other kernels.
    const results = [layer.capacity, MANY_SLOTS].map((capacity) => {
      const splits = attend.splits(capacity);
      const output = scratch.empty(shape.heads * shape.headDim);
      const lse = scratch.empty(shape.heads);
      attend(recorder, {
        cache: layer.binding,
        capacity,
        queries: uploaded,
        partials: scratch.empty(splits * shape.heads * shape.headDim),
        stats: scratch.empty(splits * shape.heads * 2),
        output,
        lse,
      });
      return { output, lse };
    });
    const expected = reference.attention({ shape, queries, ...layer });
    return () =>
      worstError(
        scratch,
        results.flatMap(({ output, lse }) => [
          [output, expected.output],
          [lse, expected.lse],
        ]),
      );
  };

/** Together with an epsilon of one: sums of squares of four elements for which a norm's factor is 1 / 2. */
const SQUARES = 12;

/** Attention of one query that appends its own row, if the model's norms or codes need that. */
export const checkAppend =
  (variant: AttendVariant): ReductionCheck =>
  async ({ gpu, reduction, spec, scratch, recorder }) => {
    const { shape, kvType } = spec;
    const { heads, kvHeads, headDim, hasHeadNorm = false } = shape;
    const attention = { reduction, kvType, shape, division: ATTEND_DIVISIONS[variant] };
    const newRow = newRowOf(attention, hasHeadNorm ? 1 : undefined);
    if (!newRow) return async () => 0;
    const attend = await createAttend(gpu, { ...attention, newRow });
    const whole = cache(scratch, spec);
    const rowOf = (rows: (head: number) => Floats) =>
      Array.from({ length: kvHeads }, (_, head) => [
        ...rows(head).slice(CACHED * headDim, (CACHED + 1) * headDim),
      ]).flat();
    const queries = randomFloats(heads * headDim, 10);
    const normed = [...queries, ...rowOf(whole.keys)].map((value) => (hasHeadNorm ? 2 : 1) * value);
    const squares = new Array<number>(heads * 2 * headDim).fill(SQUARES);
    const qkv = scratch.upload(Float32Array.of(...normed, ...rowOf(whole.values), ...squares));
    const expected = reference.attention({ shape, queries, ...whole });
    const results = [whole.capacity, MANY_SLOTS].map((capacity) => {
      const { binding } = cache(scratch, spec, true);
      const empty = (words: number) => scratch.empty(words);
      const splits = attend.splits(capacity);
      const buffers = {
        queries: empty(heads * headDim),
        output: empty(heads * headDim),
        lse: empty(heads),
      };
      const partials = empty(splits * heads * headDim);
      const stats = empty(splits * heads * 2);
      attend(recorder, { cache: binding, capacity, qkv, partials, stats, ...buffers });
      return { ...buffers, binding };
    });
    return async () => {
      const errors = [];
      for (const { queries: written, output, lse, binding } of results) {
        const floats = [
          [written, queries],
          [output, expected.output],
          [lse, expected.lse],
        ] as const;
        errors.push(await worstError(scratch, floats));
        for (const which of ["keys", "values"] as const) {
          const stored = loadKvRows(await scratch.readWords(binding[which]), headDim, kvType);
          const end = (CACHED + 1) * headDim;
          errors.push(reference.maxError(stored.slice(0, end), whole[which](0).slice(0, end)));
        }
      }
      return Math.max(...errors);
    };
  };
