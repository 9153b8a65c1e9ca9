import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeDevice, stubGpuConstants } from "../../test/fakeGpu";
import { Memory, OutOfMemoryError } from "./memory";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

describe("Memory", () => {
  it("counts live bytes and peaks per pool, in whole words", () => {
    const memory = new Memory(fakeDevice());
    const a = memory.storage("kv", "a", 1000);
    const b = memory.storage("kv", "b", 30);
    memory.storage("weights", "c", 0);
    expect(memory.bytes).toEqual({ weights: 4, kv: 1032, reference: 0, activations: 0, vision: 0 });
    memory.destroy(a);
    expect(memory.bytes.kv).toBe(32);
    expect(memory.peak("kv")).toBe(1032);
    memory.resetPeak();
    expect(memory.peak("kv")).toBe(32);
    memory.destroy(b);
    expect(() => memory.destroy(b)).toThrow("destroyed twice");
  });

  it("moves a buffer between pools without counting it twice", () => {
    const memory = new Memory(fakeDevice());
    const full = memory.storage("kv", "full", 1000);
    memory.move(full, "reference");
    memory.storage("kv", "kept", 100);
    expect(memory.bytes).toMatchObject({ kv: 100, reference: 1000 });
    expect(memory.peak("kv")).toBe(1000);
    expect(memory.cachesPeak).toBe(1100);
    memory.destroy(full);
    expect(memory.bytes.reference).toBe(0);
    memory.resetPeak();
    expect(memory.cachesPeak).toBe(100);
    expect(() => memory.move(full, "kv")).toThrow("not ours");
  });

  it("tells of every change", () => {
    const memory = new Memory(fakeDevice());
    const seen: number[] = [];
    memory.onChange = () => seen.push(memory.bytes.vision);
    memory.destroy(memory.storage("vision", "a", 8));
    expect(seen).toEqual([8, 0]);
  });

  it("refuses a buffer above the adapter's limit, and counts none of it", () => {
    const memory = new Memory(fakeDevice({ maxBufferSize: 64 }));
    expect(() => memory.storage("kv", "a", 65)).toThrow(OutOfMemoryError);
    expect(memory.bytes.kv).toBe(0);
    expect(memory.storage("kv", "b", 64).size).toBe(64);
  });
});
