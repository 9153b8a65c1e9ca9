import { afterAll, describe, expect, it } from "vitest";
import { createTestGpu } from "../../test/dawn";

describe("memory", async () => {
  const gpu = await createTestGpu();
  afterAll(() => gpu.device.destroy());

  it("books live bytes and peaks by pool", () => {
    const { memory } = gpu;
    const a = memory.storage("kv", "a", 1000);
    const b = memory.storage("kv", "b", 30);
    expect(memory.bytes.kv).toBe(1032);
    memory.destroy(a);
    expect(memory.bytes.kv).toBe(32);
    expect(memory.peak("kv")).toBe(1032);
    memory.resetPeak();
    expect(memory.peak("kv")).toBe(32);
    memory.destroy(b);
    expect(() => memory.destroy(b)).toThrow("destroyed twice");
  });
});
