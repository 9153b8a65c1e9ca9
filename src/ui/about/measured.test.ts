import { expect, test } from "vitest";
import { POLICIES } from "@/compression/registry";
import { DEFAULT_SETTINGS } from "@/protocol/defaults";
import { ACCURACY } from "./measured";

test("the default policy is the one with most right answers at every retention", () => {
  for (const [index] of ACCURACY.retentions.entries()) {
    const [best] = ACCURACY.policies.toSorted(
      (a, b) => (b.right[index] ?? 0) - (a.right[index] ?? 0),
    );
    expect(best?.policy).toBe(DEFAULT_SETTINGS.policy);
  }
});

test("measured policies are registered, and stand in the order of the middle retention", () => {
  const known = POLICIES.map(({ id }) => id);
  expect(ACCURACY.policies.filter(({ policy }) => !known.includes(policy))).toEqual([]);
  const middle = ACCURACY.policies.map(({ right }) => right[1]);
  expect(middle).toEqual(middle.toSorted((a, b) => b - a));
});
