import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { type FakeLog, fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { KvCache } from "./cache";
import { restoreSnapshot } from "./snapshot";

beforeEach(stubGpuConstants);
afterEach(() => void vi.unstubAllGlobals());

const SHAPE = { layers: 2, kvHeads: 1, headDim: 4, kvType: "f32" } as const;

/** Two rows in both layers. */
const SNAPSHOT = {
  header: {
    shape: SHAPE,
    positionMode: "original",
    tokens: { grids: [], seen: 2, place: 2, rebasedAt: 0 },
    positions: [[[0, 1]], [[0, 1]]],
  },
  values: Array.from({ length: 4 }, () => new Uint8Array(2 * 16)),
} as const;

it("is restored once the driver has granted its buffers, and not written if it refuses one", async () => {
  const log: FakeLog = { writes: [], copies: [], passes: [] };
  const device = fakeDevice({}, log);
  const restore = () => restoreSnapshot(KvCache.create(fakeGpu(device), SHAPE), SNAPSHOT);
  await restore();
  expect(log.writes.map(({ bytes }) => bytes.byteLength)).toEqual([32, 32, 32, 32]);
  device.popErrorScope = async () => ({ message: "no memory" });
  await expect(restore()).rejects.toThrow(OutOfMemoryError);
  expect(log.writes).toHaveLength(4);
});
