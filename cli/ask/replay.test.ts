import { describe, expect, test, vi } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CompareRequest } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { result } from "@/store/app/testing";
import type { AttemptRecord, ConversationRecord } from "@/store/library/records";
import { replay } from "./replay";
import { replayAll } from "./replayedAnswers";
import { modelOf, otherWeights, planReplay } from "./replayPlan";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;
const sampling = greedy(9);
const origin = (startedAt: number, model = "m") => ({
  model,
  elementType: "f16" as const,
  kvType: "f16" as const,
  versions: {},
  vendor: "",
  architecture: "",
  description: "",
  isFallback: true,
  sampling,
  startedAt,
});
const attempt = (
  id: string,
  at: number,
  given: Partial<TurnResult>,
  rest: Partial<AttemptRecord> = {},
): AttemptRecord => ({
  id,
  settings,
  run: { phase: "done", result: result(given), origin: origin(at) },
  ...rest,
});
const failure: AttemptRecord = {
  id: "failed",
  settings,
  run: { phase: "failed", text: "", failure: { code: "internal", message: "" } },
};

/** Asked: one, two, one again, then a comparison whose second lane failed. */
const record: ConversationRecord = {
  id: "c",
  createdAt: 0,
  updatedAt: 0,
  name: "",
  pictures: [],
  exchanges: [
    {
      id: "1",
      pictures: ["p"],
      question: "one",
      attempts: [
        attempt("a", 10, { answer: "A", tokenIds: [1, 2] }),
        failure,
        attempt("c", 30, { answer: "C", tokenIds: [5, 2] }),
      ],
    },
    {
      id: "2",
      pictures: [],
      question: "two",
      attempts: [attempt("b", 20, { answer: "B", tokenIds: [3, 2], appended: true })],
    },
    {
      id: "3",
      pictures: ["q"],
      question: "three",
      attempts: [
        attempt("d", 40, { answer: "D", tokenIds: [6, 2] }, { comparison: "x" }),
        { ...failure, id: "e", comparison: "x", settings: { ...settings, policy: "streaming" } },
        attempt(
          "f",
          40,
          { answer: "Fgh", tokenIds: [7, 8], finish: "cancelled" },
          { comparison: "x" },
        ),
      ],
    },
  ],
};

describe("a plan", () => {
  test("repeats the calls in time, each with the answers that stood then", () => {
    const calls = planReplay(record);
    expect(calls.map(({ question }) => question)).toEqual(["one", "two", "one", "three"]);
    expect(calls[1]!.turns).toEqual([
      { images: ["p"], question: "one", answerIds: [1, 2] },
      { images: [], question: "two" },
    ]);
    expect(calls[2]!.turns).toEqual([{ images: ["p"], question: "one" }]);
    expect(calls[3]!.turns).toEqual([
      { images: ["p"], question: "one", answerIds: [5, 2] },
      { images: [], question: "two", answerIds: [3, 2] },
      { images: ["q"], question: "three" },
    ]);
    // The lane that failed keeps its place: the first lane's cache is the one that goes on.
    expect(calls[3]!.attempts.map(({ id }) => id)).toEqual(["d", "e", "f"]);
    expect(modelOf(calls)).toBe("m");
  });

  test("needs one model", () => {
    const other = attempt("z", 50, {});
    const run = { ...other.run, origin: origin(50, "n") } as AttemptRecord["run"];
    const exchange = { id: "4", pictures: [], question: "four", attempts: [{ ...other, run }] };
    const calls = planReplay({ ...record, exchanges: [...record.exchanges, exchange] });
    expect(() => modelOf(calls)).toThrow(/m and n/);
  });
});

describe("a replay", () => {
  function enginePage(change: (answer: TurnResult) => TurnResult = (same) => same) {
    const given = [
      result({ answer: "A", tokenIds: [1, 2] }),
      result({ answer: "B", tokenIds: [3, 2], appended: true }),
      result({ answer: "C", tokenIds: [5, 2] }),
    ];
    const ask = vi.fn(async (_: Omit<AskRequest, "images">) => change(given.shift()!));
    const compare = vi.fn(async (_: Omit<CompareRequest, "images">) => [
      { result: result({ answer: "D", tokenIds: [6, 2] }) },
      { failure: { code: "outOfMemory", message: "Full." } as const },
      { result: result({ answer: "Fgh ij", tokenIds: [7, 8, 9, 2] }) },
    ]);
    return { ask, compare };
  }

  test("of the same answers is the same", async () => {
    const page = enginePage();
    const heard = vi.fn();
    const answers = await replayAll(page, planReplay(record), heard);
    expect(answers).toHaveLength(5);
    expect(answers.every(({ sameText, sameIds }) => sameText && sameIds)).toBe(true);
    expect(heard).toHaveBeenCalledTimes(5);
    const fresh = page.ask.mock.calls.map(([request]) => request.fresh);
    expect(fresh).toEqual([true, undefined, true]);
    const [compared] = page.compare.mock.calls[0]!;
    expect(compared.lanes.map(({ policy }) => policy)).toEqual(["full", "streaming", "full"]);
    expect(compared.sampling).toEqual(sampling);
  });

  test("says which answer differs, and where its cache was another", async () => {
    const page = enginePage((answer) =>
      answer.answer === "B" ? { ...answer, tokenIds: [4, 2], appended: false } : answer,
    );
    const answers = await replayAll(page, planReplay(record), () => undefined);
    expect(answers.map(({ sameIds }) => sameIds)).toEqual([true, false, true, true, true]);
    expect(answers[1]).toMatchObject({
      sameText: true,
      appended: { recorded: true, replayed: false },
    });
  });

  test("says that other weights answered, if both are known", () => {
    const calls = planReplay(record);
    expect(otherWeights(calls, { weights: "sha256:ab" })).toBeUndefined();
    const recorded = JSON.parse(
      JSON.stringify(calls).replaceAll('"versions":{}', '"versions":{"weights":"commit:12"}'),
    );
    expect(otherWeights(recorded, { weights: "commit:12" })).toBeUndefined();
    expect(otherWeights(recorded, { weights: "sha256:ab" })).toBe(
      "The conversation was answered by other weights (commit:12) than these (sha256:ab).",
    );
  });

  test("goes on after an answer that failed", async () => {
    const page = enginePage();
    page.ask.mockRejectedValueOnce(new Error("The prompt is too long."));
    const [first, ...rest] = await replayAll(page, planReplay(record), () => undefined);
    expect(first).toMatchObject({ sameText: false, failure: "The prompt is too long." });
    expect(rest).toHaveLength(4);
  });

  test.each([
    [["--replay", "no/such.json"], 1],
    [["--replay", "package.json"], 1],
    [["--replay", "package.json", "--policy", "full"], 2],
  ] as const)("refuses %j with status %d", async (argv, exitCode) => {
    await expect(replay(argv)).rejects.toMatchObject({ exitCode });
  });
});
