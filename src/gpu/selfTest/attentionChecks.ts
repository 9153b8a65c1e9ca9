import type { Gpu } from "../gpu";
import { createAttend } from "../kernels/attention/attend";
import { ATTEND_DIVISIONS, type AttendVariant } from "../kernels/attention/attendDivision";
import { createFlash, FLASH_HEIGHTS, type FlashVariant } from "../kernels/attention/flash";
import { CHECK_ROWS, type CheckSpec, type ReductionCheck, runCheck, worstError } from "./checkRun";
import * as reference from "./reference";
import type { TestBuffers } from "./testBuffers";

const { randomFloats } = reference;
/** Number of rows stored before the rows of a check. */
const CACHED = 70;
/** A capacity that no attention kernel takes at once. */
const MANY_SLOTS = 2048;

type Floats = Float32Array<ArrayBuffer>;

/** A cache of one layer with `CACHED` random rows in every head. */
function cache(scratch: TestBuffers, { kvType, shape }: CheckSpec) {
  const capacity = 128;
  const headFloats = capacity * shape.headDim;
  const keys = scratch.storeRows(
    randomFloats(shape.kvHeads * headFloats, 5),
    shape.headDim,
    kvType,
  );
  const values = scratch.storeRows(
    randomFloats(shape.kvHeads * headFloats, 6),
    shape.headDim,
    kvType,
  );
  const regions = Array.from({ length: shape.kvHeads }, (_, head) => [
    head * capacity,
    CACHED,
    capacity,
    0,
  ]);
  const table = scratch.upload(Uint32Array.from(regions.flat()));
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
  async (gpu, reduction, spec, scratch, recorder) => {
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
