import { expect, test } from "vitest";
import { rowCounters } from "./rowCounters";
import { sentencesFrom } from "./sentences";

test("only whole sentences are announced while an answer streams", () => {
  expect(sentencesFrom("The total is $81.2", 0, false)).toEqual({ next: "", end: 0 });
  expect(sentencesFrom("It is $81.28. The d", 0, false)).toEqual({
    next: "It is $81.28.",
    end: 14,
  });
  expect(sentencesFrom("总计为“81.28 美元。”日期", 0, false)).toEqual({
    next: "总计为“81.28 美元。”",
    end: 14,
  });
  expect(sentencesFrom("It is $81.28. The date", 14, true)).toEqual({ next: "The date", end: 22 });
});

test("rows are counted over the layers, the answer's own included", () => {
  const layer = (rowsAfter: number) => ({ rowsBefore: 653, rowsAfter, kept: [] });
  const counters = rowCounters({ layers: [layer(100), layer(60)], tokenIds: [5, 6, 2] });
  // Every id leaves a row in each of 2 layers, the one that ends the answer too.
  expect(counters.cached).toBe(166);
  // The steps read 1, 2 and 3 rows of the answer: 2 on average in each layer.
  expect(counters.readPerToken).toBe(164);
});

test("rows that a policy evicted while decoding are not counted", () => {
  const layer = { rowsBefore: 653, rowsAfter: 100, rowsEnd: 100, kept: [] };
  const counters = rowCounters({ layers: [layer], tokenIds: [5, 6, 2] });
  // The newest row is read before another one goes.
  expect(counters).toEqual({ cached: 100, readPerToken: 101 });
});
