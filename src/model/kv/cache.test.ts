import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { type FakeLog, fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { KvCache } from "./cache";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

const SHAPE = { layers: 2, kvHeads: 2, headDim: 8, kvType: "f16" } as const;
/** Keys and values of a row of one head. */
const ROW_BYTES = 2 * 8 * 2;

function create(limits = {}) {
  const log: FakeLog = { writes: [], copies: [], passes: [] };
  const gpu = fakeGpu(fakeDevice(limits, log));
  return { log, gpu, cache: KvCache.create(gpu, SHAPE) };
}

function filled(rows: number) {
  const created = create();
  created.cache.ensureRows(rows);
  created.cache.append(rows);
  return created;
}

describe("KvCache", () => {
  it("owns no memory until rows are needed, then whole blocks", () => {
    const { cache, gpu } = create();
    expect(cache.bytes).toBe(0);
    expect(() => cache.layer(0)).toThrow("no buffers yet");
    cache.ensureRows(65);
    expect(cache.bytes).toBe(2 * 2 * 128 * ROW_BYTES);
    expect(gpu.memory.bytes.kv).toBe(cache.bytes);
    expect(cache.largestCapacity()).toBe(128);
    cache.trim();
    expect(cache.bytes).toBe(0);
    cache.destroy();
    expect(gpu.memory.bytes.kv).toBe(0);
  });

  it("counts rows and positions, and takes the newest back with their capacity", () => {
    const { cache } = filled(70);
    expect([cache.rows(1, 1), cache.seen, cache.position]).toEqual([70, 70, 70]);
    expect(cache.positions(0).at(-1)).toBe(69);
    expect(() => cache.append(59)).toThrow(RangeError);
    cache.truncate(10);
    expect([cache.rows(1, 1), cache.seen, cache.largestCapacity()]).toEqual([60, 60, 64]);
    expect(() => cache.truncate(61)).toThrow(RangeError);
  });

  it("grows all heads at once while decoding, by an eighth of their rows, and no further than needed", () => {
    const { cache } = filled(1024);
    const { version } = cache;
    cache.ensureStep(500);
    expect(cache.largestCapacity()).toBe(1152);
    expect(cache.version).toBe(version + SHAPE.layers);
    cache.append(128);
    cache.ensureStep(70);
    expect(cache.largestCapacity()).toBe(1280);
    cache.ensureStep(70);
    expect(cache.version).toBe(version + 2 * SHAPE.layers);
  });

  it("grows one layer after the other before they are full, and no further than needed", () => {
    const { cache } = filled(1000);
    const capacities = () => [0, 1].map((layer) => cache.largestCapacity(layer));
    cache.growAhead(1, 500);
    expect(capacities()).toEqual([1024, 1024]); // 24 rows of room
    cache.append(8);
    cache.growAhead(1, 492);
    expect(capacities()).toEqual([1152, 1024]);
    expect([cache.layerVersion(0), cache.layerVersion(1)]).toEqual([2, 1]);
    cache.growAhead(1, 492);
    expect(capacities()).toEqual([1152, 1152]);
    cache.append(144);
    cache.growAhead(16, 20);
    expect(capacities()).toEqual([1216, 1216]);
    cache.append(16);
    cache.growAhead(4, 4);
    expect(cache.version).toBe(2 + 4);
  });

  it("copies the rows in use to larger buffers, a new version of them", () => {
    const { cache, log } = filled(10);
    const { version } = cache;
    cache.ensureRows(54);
    expect(cache.version).toBe(version);
    log.copies.length = 0;
    cache.ensureRows(55);
    expect(cache.version).toBeGreaterThan(version);
    const bytes = 10 * (ROW_BYTES / 2);
    expect(log.copies).toHaveLength(SHAPE.layers * SHAPE.kvHeads * 2);
    expect(log.copies.every((copy) => copy.bytes === bytes)).toBe(true);
  });

  it("lets heads hold different rows once they are split", () => {
    const { cache } = filled(4);
    expect(cache.hasHeadLists(0)).toBe(false);
    cache.splitHeads(0);
    cache.vacate(0, [1, -1]); // the last row of head 0 moves into slot 1
    expect(cache.positions(0, 0)).toEqual([0, 3, 2]);
    expect(cache.positions(0, 1)).toEqual([0, 1, 2, 3]);
    expect(cache.rowCounts()).toEqual([
      [3, 4],
      [4, 4],
    ]);
    cache.append(1);
    expect(cache.positions(0, 0)).toEqual([0, 3, 2, 4]);
  });

  it("counts the next position as its mode says", () => {
    const { cache } = filled(4);
    cache.vacate(0, [3]);
    cache.rebase(2);
    const positions = (["original", "layer0Length", "cacheIndex"] as const).map((mode) => {
      cache.positionMode = mode;
      return cache.position;
    });
    expect(positions).toEqual([4, 3, 2]);
  });

  it("writes where every head's rows lie, and where the layers lie end to end", () => {
    const { cache, log } = filled(3);
    cache.writeTable();
    const words = new Uint32Array(log.writes.at(-1)?.bytes as ArrayBuffer);
    expect([...words]).toEqual([0, 3, 64, 0, 64, 3, 64, 64, 0, 3, 64, 128, 64, 3, 64, 192]);
    expect(cache.flatRows).toBe(256);
  });

  it("has an empty copy that has seen the same tokens", () => {
    const { cache } = filled(5);
    const copy = cache.emptyCopy();
    cache.truncate(2);
    expect([copy.rows(0), copy.seen, copy.bytes, cache.seen]).toEqual([0, 5, 0, 3]);
  });

  it("is out of memory beyond what an adapter binds, and keeps what it has", () => {
    const { cache, gpu } = create({ maxStorageBufferBindingSize: 2 * 64 * (ROW_BYTES / 2) });
    cache.ensureRows(64);
    const { kv } = gpu.memory.bytes;
    expect(() => cache.ensureRows(65)).toThrow(OutOfMemoryError);
    expect(gpu.memory.bytes.kv).toBe(kv);
  });
});
