import { expect, it } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import { openNodeEngine } from "../../../cli/shared/nodeEngine";

const lane = (policy: string, retention: number): CacheSettings => {
  return { policy, retention, scope: "prompt", options: {} };
};

const engine = await openNodeEngine("public/models/keepsight-mini");
await engine.load();

async function compare(
  lanes: readonly CacheSettings[],
  { together, maxNewTokens = 24 }: { together: boolean; maxNewTokens?: number },
) {
  const question = "What do the words say, and which of them is the largest number of all?";
  const sampling = { temperature: 0.8, topK: 0, topP: 1, seed: 3, maxNewTokens };
  const order: number[] = [];
  const outcomes = await engine.compare(
    { turns: [{ images: [], question }], sampling, lanes, together },
    (_, token) => order.push(token.lane as number),
  );
  return { order, results: outcomes.map(({ result }) => result!) };
}

it("lanes decode together the tokens that they decode one after the other", async () => {
  const lanes = [lane("full", 1), lane("knorm", 0.5), lane("uniform", 0.4), lane("random", 0.3)];
  const apart = await compare(lanes, { together: false });
  const together = await compare(lanes, { together: true });
  expect(together.order.slice(0, 8)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  expect(apart.order).toEqual(apart.order.toSorted());
  const notice = { code: "decodedTogether", lanes: 4 };
  for (const [at, result] of together.results.entries()) {
    const alone = apart.results[at]!;
    expect(result.tokenIds).toEqual(alone.tokenIds);
    expect(result.finish).toBe(alone.finish);
    expect(result.layers).toEqual(alone.layers);
    expect(result.kvBytes.end).toBe(alone.kvBytes.end);
    expect(result.kvBytes.peak).toBeLessThanOrEqual(result.notes.plannedPeakBytes as number);
    expect(result.notices).toContainEqual(notice);
    expect(alone.notices).not.toContainEqual(notice);
  }
  const answers = new Set(together.results.map(({ tokenIds }) => tokenIds.join()));
  expect(answers.size).toBeGreaterThan(1);
});

it("lanes decode one after the other where one evicts rows", async () => {
  const lanes = [lane("full", 1), lane("streaming", 0.5)];
  const { order } = await compare(lanes, { together: true, maxNewTokens: 4 });
  expect(order).toEqual(order.toSorted());
  expect(new Set(order).size).toBe(2);
  await engine.close();
});
