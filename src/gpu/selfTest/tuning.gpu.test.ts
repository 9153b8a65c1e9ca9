import { afterAll, describe, expect, it, vi } from "vitest";
import { createTestGpu } from "../../../test/dawn";
import { PLAIN } from "../variants";
import { attendMs } from "./tunedTimes";
import { fastest, tune } from "./tuning";

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe("fastest", () => {
  const times: Readonly<Record<string, number>> = {
    chosen: 12,
    slower: 20,
    near: 11,
    fast: 9,
    faster: 6,
  };
  const time = vi.fn(async (name: string) => {
    if (times[name] === undefined) throw new Error("does not compile");
    return times[name];
  });
  const always = () => true;

  it("takes a clearly faster candidate, not one within the noise", async () => {
    expect(await fastest("chosen", ["near", "slower"], always, time)).toBe("chosen");
    expect(await fastest("chosen", ["chosen", "fast", "faster", "slower"], always, time)).toBe(
      "faster",
    );
  });

  it("passes over what fails, and changes nothing without a time of the chosen one", async () => {
    expect(await fastest("chosen", ["broken", "fast"], always, time)).toBe("fast");
    expect(await fastest("broken", ["faster"], always, time)).toBe("broken");
  });

  it("times nothing when the time is over", async () => {
    time.mockClear();
    expect(await fastest("chosen", ["faster"], () => false, time)).toBe("chosen");
    expect(time).not.toHaveBeenCalled();
    const once = vi.fn().mockReturnValueOnce(true).mockReturnValue(false);
    expect(await fastest("chosen", ["faster"], once, time)).toBe("chosen");
  });
});

it("leaves variants that compute right results, and no buffer", async () => {
  const spec = {
    dtypes: ["f16"],
    kvType: "f16",
    shape: { heads: 4, kvHeads: 2, headDim: 64 },
  } as const;
  const before = gpu.memory.bytes;
  const tuned = await tune(gpu, { variants: PLAIN, notices: [] }, spec, {
    rows: 8,
    width: 64,
    cacheRows: [64, 128],
  });
  expect(tuned.notices).toEqual([]);
  expect(Object.keys(tuned.variants).sort()).toEqual(["attend", "flash", "matmul", "reduction"]);
  expect(tuned.variants.flash).toBe(PLAIN.flash);
  expect(gpu.memory.bytes).toEqual(before);
});

it("times a step's attention in every division, and leaves no buffer", async () => {
  const size = { rows: 8, width: 64, cacheRows: [100, 300] };
  const before = gpu.memory.bytes;
  for (const [kvType, division] of [
    ["q8", "fine"],
    ["f16", "fewHeads"],
  ] as const) {
    const shape = { heads: 4, kvHeads: 4, headDim: 128 };
    const spec = { variant: division, reduction: "subgroup", kvType, shape } as const;
    expect(await attendMs(gpu, spec, size)).toBeGreaterThan(0);
  }
  expect(gpu.memory.bytes).toEqual(before);
});
