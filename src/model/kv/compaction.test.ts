import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LayerPlan } from "@/compression/types";
import { fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { KvCache, type PositionMode } from "./cache";
import { compact, gatherFork } from "./compaction";
import type { KvShape } from "./layout";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

const SHAPE: KvShape = {
  layers: 8,
  kvHeads: 2,
  headDim: 8,
  kvType: "f16",
  frequencies: new Float32Array(4),
};
const ROWS = 600;
const LAYERS = Array.from({ length: SHAPE.layers }, (_, layer) => layer);

function keep(share: number, heads = 1): Uint32Array[] {
  const rows = Math.round(share * ROWS);
  return Array.from({ length: heads }, (_, head) =>
    Uint32Array.from({ length: rows - head }, (_, i) => Math.floor(i / share)),
  );
}

/** What a plan for all layers asks of the device, in a cache with rows of an earlier turn. */
async function asked(
  layers: readonly LayerPlan[],
  run: typeof compact | typeof gatherFork,
  mode: PositionMode = "original",
  shape = SHAPE,
) {
  const device = fakeDevice();
  const cache = KvCache.create(fakeGpu(device), shape);
  cache.positionMode = mode;
  for (const rows of [4, ROWS]) {
    cache.ensureRows(rows);
    cache.append(rows);
  }
  const start = cache.rowCounts().map((heads) => heads.map((rows) => rows - ROWS));
  const calls = {
    buffers: vi.spyOn(device, "createBuffer"),
    bindGroups: vi.spyOn(device, "createBindGroup"),
    uploads: vi.spyOn(device.queue, "writeBuffer"),
    submits: vi.spyOn(device.queue, "submit"),
  };
  await run(cache, { layers }, start);
  return Object.fromEntries(
    Object.entries(calls).map(([name, { mock }]) => [name, mock.calls.length]),
  );
}

/** Keys and values of every layer, the lists and the parameters. */
const LEAST = { buffers: 2 * SHAPE.layers + 2, bindGroups: SHAPE.layers, uploads: 2, submits: 1 };

describe("a compaction asks the device for", () => {
  const drop: LayerPlan = { keep: keep(0.1) };
  const everyLayer = (plan: LayerPlan) => LAYERS.map(() => plan);

  it.each([
    ["one list for all heads", drop],
    ["a list per head", { keep: keep(0.1, 2) }],
    [
      "assigned rows to merge",
      {
        keep: keep(0.1),
        merge: { kind: "assign", rule: "mean", into: [new Int32Array(ROWS).fill(0)] },
      },
    ],
  ] as const)("two buffers and one bind group a layer, with %s", async (_, plan) => {
    expect(await asked(everyLayer(plan), compact)).toEqual(LEAST);
    expect(await asked(everyLayer(plan), gatherFork)).toEqual(LEAST);
  });

  it("nothing for layers that keep every row", async () => {
    const all: LayerPlan = { keep: keep(1) };
    const none = { buffers: 0, bindGroups: 0, uploads: 0, submits: 0 };
    expect(await asked(everyLayer(all), compact)).toEqual(none);
    const some = LAYERS.map((layer) => (layer % 4 === 0 ? drop : all));
    expect(await asked(some, compact)).toEqual({ ...LEAST, buffers: 2 * 2 + 2, bindGroups: 2 });
  });

  it("a submit and its parameters whenever another layer would exceed the bytes of an old one", async () => {
    const half: LayerPlan = { keep: keep(0.5) };
    const submits = SHAPE.layers / 2;
    const expected = { ...LEAST, submits, uploads: 1 + submits };
    expect(await asked(everyLayer(half), compact)).toEqual(expected);
  });

  it("one search of the nearest keys, where rows go to these", async () => {
    const nearest: LayerPlan = { keep: keep(0.1), merge: { kind: "nearestKey", rule: "mean" } };
    expect(await asked(everyLayer(nearest), compact)).toEqual({
      buffers: LEAST.buffers + 3,
      bindGroups: 2 * LEAST.bindGroups,
      uploads: LEAST.uploads + 2,
      submits: LEAST.submits + 1,
    });
  });

  it("one rotation of all moved keys, where positions are counted by place", async () => {
    const calls = await asked(everyLayer(drop), compact, "cacheIndex");
    expect(calls).toEqual({
      buffers: LEAST.buffers + 4,
      bindGroups: 3 * LEAST.bindGroups,
      uploads: LEAST.uploads + 3,
      submits: LEAST.submits + 1,
    });
    // A layer's keys take more than layers may share.
    const large = { ...SHAPE, layers: 2, headDim: 32_768, frequencies: new Float32Array(16_384) };
    const block: LayerPlan = { keep: [Uint32Array.from({ length: 70 }, (_, i) => 100 + i)] };
    const { submits } = await asked([block, block], compact, "cacheIndex", large);
    expect(submits).toBe(1 + 2);
  });
});
