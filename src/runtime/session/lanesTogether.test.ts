import { afterEach, describe, expect, it, vi } from "vitest";
import type { SavedLogits } from "../report/savedLogits";
import { GrowingAnswer } from "../stages/growingAnswer";
import type { Lane } from "./lane";
import { decodeTogether, groupLanes } from "./lanesTogether";

afterEach(() => vi.restoreAllMocks());

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

it("every answer is ended, also if the end of another one fails", async () => {
  const ended: number[] = [];
  const begin = vi.spyOn(GrowingAnswer, "begin");
  for (const index of [0, 1]) {
    const end = async () => {
      ended.push(index);
      if (index === 0) throw new RangeError("no memory");
    };
    begin.mockResolvedValueOnce({ args: {}, arrive() {}, end } as unknown as GrowingAnswer);
  }
  const job = {
    model: {},
    progress: { resume() {}, notice() {} },
    turn: { request: { sampling: { maxNewTokens: 1 } } },
  };
  const lanes = [{ job }, { job }] as unknown as readonly Lane[];
  await expect(decodeTogether(lanes, {} as SavedLogits)).rejects.toThrow("no memory");
  expect(ended).toEqual([0, 1]);
});
