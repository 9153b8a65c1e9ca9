import { expect, it } from "vitest";
import { madeUpAttention, madeUpInput, SMALL_PROMPT } from "../../reference/promptFixture";
import { columnScores } from "./columnScores";

it("is a moving average over the queries, head-mean, started from nothing", () => {
  const decay = 0.8;
  const scope = "prompt";
  const input = madeUpInput(SMALL_PROMPT, { movingAverage: { decay } }, { retention: 1, scope });
  const { attention } = madeUpAttention(SMALL_PROMPT);
  const { rows, heads } = SMALL_PROMPT;
  const running = new Float64Array(rows);
  for (let query = 0; query < rows; query++) {
    for (let key = 0; key < rows; key++) {
      let seen = 0;
      for (let head = 0; head < heads; head++)
        seen += (attention(2, head, query)[key] ?? 0) / heads;
      running[key] = decay * running[key]! + (1 - decay) * seen;
    }
  }
  const scores = columnScores(input, 2, { scores: "movingAverage", decay });
  scores.forEach((score, key) => {
    expect(score).toBeCloseTo(running[key]!, 6);
  });
});
