import { expect, test } from "vitest";
import { rowCounters } from "./rowCounters";
import { sentencesFrom } from "./sentences";

test("only whole sentences are announced while an answer streams", () => {
  expect(sentencesFrom("The total is $81.2", 0, false)).toEqual({ next: "", end: 0 });
  expect(sentencesFrom("It is $81.28. The d", 0, false)).toEqual({
    next: "It is $81.28.",
    end: 14,
  });
  expect(sentencesFrom("It is $81.28. The date", 14, true)).toEqual({ next: "The date", end: 22 });
});

test("rows are counted over the layers, the answer's own included", () => {
  const layer = (rowsAfter: number) => ({ rowsBefore: 653, rowsAfter, kept: [] });
  const counters = rowCounters({ layers: [layer(100), layer(60)], tokenIds: [5, 6, 2] });
  // Two of three ids were fed back: 2 rows in each of 2 layers.
  expect(counters.held).toBe(164);
  // The first step read 1 row of the answer, the second 2: 1.5 on average in each layer.
  expect(counters.readPerToken).toBe(163);
});
