import { describe, expect, it } from "vitest";
import { groupLanes } from "./lanesTogether";

describe("groupLanes", () => {
  const model = (headDim = 64, free = Number.POSITIVE_INFINITY) =>
    ({
      decoder: { config: { headDim } },
      gpu: { memory: { free } },
    }) as unknown as Parameters<typeof groupLanes>[0];
  const lanes = (count: number, capMb?: number) =>
    Array.from({ length: count }, () => ({
      job: { turn: { settings: { capMb } } },
      rule: undefined,
    })) as unknown as Parameters<typeof groupLanes>[1];

  it("takes four and more, in even groups", () => {
    expect(groupLanes(model(), lanes(3))).toEqual([1, 1, 1]);
    expect(groupLanes(model(), lanes(4))).toEqual([4]);
    expect(groupLanes(model(), lanes(9))).toEqual([5, 4]);
    expect(groupLanes(model(), lanes(2), true)).toEqual([2]);
  });

  it("takes one after the other under a ceiling, and with heads that no batch can take", () => {
    expect(groupLanes(model(), lanes(4, 10))).toEqual([1, 1, 1, 1]);
    expect(groupLanes(model(64, 1e9), lanes(4), true)).toEqual([1, 1, 1, 1]);
    expect(groupLanes(model(80), lanes(4), true)).toEqual([1, 1, 1, 1]);
  });
});
