import { afterEach, describe, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { generateTogether } from "@/model/decoder/batchGeneration";
import type { SavedLogits } from "../report/savedLogits";
import { GrowingAnswer } from "../stages/growingAnswer";
import type { Lane } from "./lane";
import { decodeTogether, groupLanes } from "./lanesTogether";

vi.mock("@/model/decoder/batchGeneration");

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

it("every answer is ended, and one whose end fails is the only one that fails", async () => {
  const ended: unknown[] = [];
  const begin = vi.spyOn(GrowingAnswer, "begin");
  const lanes = [0, 1, 2].map((index) => {
    const end = async (finish: unknown) => {
      ended.push([index, finish]);
      if (index === 1) throw new OutOfMemoryError("attention", 8);
    };
    begin.mockResolvedValueOnce({ args: {}, arrive() {}, end } as unknown as GrowingAnswer);
    return laneThatAnswers(`answer ${index}`);
  });
  vi.mocked(generateTogether).mockResolvedValueOnce(["stop", "length", "stop"]);
  const outcomes = await decodeTogether(lanes, {} as SavedLogits);
  expect(ended).toEqual([
    [0, "stop"],
    [1, "length"],
    [2, "stop"],
  ]);
  expect(outcomes).toMatchObject([
    { result: { answer: "answer 0" } },
    { failure: { code: "outOfMemory" } },
    { result: { answer: "answer 2" } },
  ]);
  expect(outcomes[1]).not.toHaveProperty("result");
});

function laneThatAnswers(answer: string): Lane {
  const job = {
    model: { gpu: { memory: { peak: () => 0 } } },
    progress: { resume() {}, notice() {}, close() {}, result: () => ({ answer }) },
    turn: { request: { sampling: { maxNewTokens: 1 } } },
  };
  const cache = { seen: 8, rowBytes: 2, shape: { layers: 1, kvHeads: 1 } };
  return { job, prefilled: { cache } } as unknown as Lane;
}
