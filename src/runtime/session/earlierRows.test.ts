import { expect, it } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import { droppableSlots, targetRows } from "./earlierRows";

/** One layer whose two heads hold other rows, in an order of their own. */
const positions = [
  [0, 1, 2, 10, 11, 30, 12],
  [0, 2, 11, 1, 40, 41],
];
const cache = {
  shape: { layers: 1, kvHeads: 2 },
  positions: (_: number, head = 0) => positions[head] ?? [],
} as unknown as Parameters<typeof droppableSlots>[1];
const tiles = [
  { image: "a", tile: 0, start: 10, count: 3 },
  { image: "b", tile: 0, start: 40, count: 2 },
];
const slots = (scope: CacheSettings["scope"]) => {
  const settings = { policy: "full", retention: 1, scope, options: {} };
  return droppableSlots({ settings, prompt: { tiles } }, cache);
};

it("offers the slots of visual rows, wherever eviction has put them", () => {
  expect(slots("visual")).toEqual([
    [
      [3, 4, 6],
      [2, 4, 5],
    ],
  ]);
});

it("offers all slots but the first four in scope prompt", () => {
  expect(slots("prompt")).toEqual([
    [
      [4, 5, 6],
      [4, 5],
    ],
  ]);
});

it("leaves a share of an image's rows, in proportion to what the heads hold", () => {
  const held = [
    [
      [1, 2, 3, 4, 5, 6],
      [4, 5],
    ],
  ];
  const rows = [[9, 5]];
  // 8 of 2 x 10 rows are held: 40 %.
  expect(targetRows(rows, held, [{ count: 10 }], 0.2)).toEqual([[6, 4]]);
  expect(targetRows(rows, held, [{ count: 10 }], 0.4)).toBeUndefined();
  expect(targetRows(rows, [[[], []]], [], 0.1)).toBeUndefined();
});
