import { expect, it } from "vitest";
import type { CacheSettings } from "@/protocol/engine";
import { candidateSlots } from "./shrinkHistory";

/** One layer whose two heads hold other rows, in an order of their own. */
const positions = [
  [0, 1, 2, 10, 11, 30, 12],
  [0, 2, 11, 1, 40, 41],
];
const cache = {
  shape: { layers: 1, kvHeads: 2 },
  positions: (_: number, head = 0) => positions[head] ?? [],
} as unknown as Parameters<typeof candidateSlots>[1];
const tiles = [
  { image: "a", tile: 0, start: 10, count: 3 },
  { image: "b", tile: 0, start: 40, count: 2 },
];
const slots = (scope: CacheSettings["scope"]) => {
  const settings = { policy: "full", retention: 1, scope, options: {} };
  return candidateSlots({ settings, prompt: { tiles } }, cache);
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
