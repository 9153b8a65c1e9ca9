import { expect, it } from "vitest";
import type { Gpu } from "../../gpu";
import type { Dispatch, KernelSpec } from "../../kernel";
import type { Recorder } from "../../recorder";
import { createGatherKv } from "./gatherKv";
import { createRerotateKeys } from "./rerotateKeys";

/** Workgroups that every adapter dispatches in a dimension. */
const MOST_GROUPS = 65_535;
/** More rows than the longest context of a supported model, which is 262 144. */
const ROWS = 300_000;

const gpu = { compile: async (spec: KernelSpec) => spec } as unknown as Gpu;
const buffer = {} as GPUBuffer;
const shared = { lists: buffer, heads: 8, layer: 0 };

it.each(["f16", "q8", "q4"] as const)(
  "caches of %s are moved whatever their length",
  async (type) => {
    const dispatches: Dispatch[] = [];
    const recorder = { dispatch: (_: unknown, each: Dispatch) => dispatches.push(each) };
    const rows = { k: buffer, v: buffer };
    const gather = await createGatherKv(gpu, type, 128);
    const { copy, rerotate } = await createRerotateKeys(gpu, type, 128, "one");
    const keys = { ...shared, keys: buffer, copies: buffer, angles: buffer, entries: ROWS };
    gather(recorder as unknown as Recorder, { ...shared, source: rows, target: rows, rows: ROWS });
    copy(recorder as unknown as Recorder, keys);
    rerotate(recorder as unknown as Recorder, keys);
    expect(dispatches).toHaveLength(3);
    for (const { groups } of dispatches)
      expect(Math.max(...groups.map(Number))).toBeLessThanOrEqual(MOST_GROUPS);
  },
);
