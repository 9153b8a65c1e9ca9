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

  it("refuses what does not fit under the limit, over all pools", () => {
    const memory = new Memory(fakeDevice());
    memory.limit = 100;
    const a = memory.storage("weights", "a", 60);
    expect(memory.free).toBe(40);
    expect(() => memory.storage("kv", "b", 44)).toThrow(
      expect.objectContaining({ needed: 44, free: 40, message: "b: 44 bytes do not fit into 40" }),
    );
    expect(() => memory.require("a plan", 41)).toThrow(OutOfMemoryError);
    memory.require("a plan", 40);
    memory.destroy(a);
    expect(memory.storage("kv", "b", 44).size).toBe(44);
  });

  it("frees what a failed construction has made, and nothing else", () => {
    const memory = new Memory(fakeDevice({ maxBufferSize: 64 }));
    memory.storage("kv", "before", 8);
    const build = () => {
      memory.storage("activations", "a", 16);
      memory.destroy(memory.storage("activations", "b", 16));
      memory.allOrNothing(() => memory.storage("activations", "c", 16));
      memory.storage("activations", "d", 100);
    };
    expect(() => memory.allOrNothing(build)).toThrow(OutOfMemoryError);
    expect(memory.bytes).toMatchObject({ kv: 8, activations: 0 });
    const kept = memory.allOrNothing(() => memory.storage("activations", "a", 16));
    expect(memory.bytes).toMatchObject({ kv: 8, activations: kept.size });
  });

  it("tells of the first buffer that the driver refused, once", async () => {
    const refusals = [null, { message: "full" }, { message: "full" }, null];
    const device = Object.assign(fakeDevice(), {
      popErrorScope: () => Promise.resolve(refusals.shift()),
    });
    const memory = new Memory(device);
    for (const label of ["a", "b", "c"]) memory.storage("kv", label, 8);
    memory.check(); // the driver has not answered
    await expect(memory.granted()).rejects.toMatchObject({ message: "b: 8 bytes were refused" });
    await memory.granted();
    memory.storage("kv", "d", 8);
    await memory.granted();
  });

  it("refuses a buffer above the adapter's limit, and counts none of it", () => {
    const memory = new Memory(fakeDevice({ maxBufferSize: 64 }));
    expect(() => memory.storage("kv", "a", 65)).toThrow(OutOfMemoryError);
    expect(memory.bytes.kv).toBe(0);
    expect(memory.storage("kv", "b", 64).size).toBe(64);
  });
});
