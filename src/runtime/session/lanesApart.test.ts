import { expect, it } from "vitest";
import { EngineError } from "@/protocol/failure";
import type { AskRequest, CompareRequest } from "@/protocol/request";
import type { Reference, TurnResult } from "@/protocol/result";
import { answerApart } from "./lanesApart";

const lane = { policy: "snapkv", retention: 0.1, scope: "visual", options: {} } as const;
const question = { turns: [], images: {}, lanes: [lane, lane, lane], reference: true };

it("judges all lanes by one reference, that of the first lane which has an answer", async () => {
  const asked: unknown[] = [];
  const reference: Reference = { missing: "cap" };
  const ask = async ({ reference: isJudged }: AskRequest, index: number) => {
    asked.push(isJudged);
    if (index === 0) throw new EngineError({ code: "capTooSmall", message: "too small" });
    return { answer: `${index}`, ...(isJudged && { reference }) } as TurnResult;
  };
  const outcomes = await answerApart(question as unknown as CompareRequest, ask);
  expect(asked).toEqual([true, true, false]);
  expect(outcomes[0]!.failure?.code).toBe("capTooSmall");
  expect(outcomes.slice(1)).toEqual([
    { result: { answer: "1", reference } },
    { result: { answer: "2", reference } },
  ]);
});
