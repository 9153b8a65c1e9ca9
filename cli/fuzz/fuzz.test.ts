import fs from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzzTargets } from "./targets";

interface Entry {
  readonly target: string;
  readonly input: string | { readonly base64: string };
}

/** Inputs that failed once, as `npm run fuzz` prints them. */
const corpus: readonly Entry[] = JSON.parse(
  fs.readFileSync(new URL("./corpus.json", import.meta.url), "utf8"),
);
const targets = new Map(fuzzTargets().map(({ target }) => [target.name, target]));

describe("inputs that failed once", () => {
  test.each(corpus.map((entry, index) => [index, entry] as const))("%i", async (_, entry) => {
    const { target, input } = entry;
    const bytes = typeof input === "string" ? input : Buffer.from(input.base64, "base64");
    await targets.get(target)!.check(typeof bytes === "string" ? bytes : Uint8Array.from(bytes));
  });
});

describe("a few changed inputs", () => {
  test.each([...targets.values()])("$name", async (target) => {
    const property = fc.asyncProperty(target.inputs, async (input) => target.check(input));
    await fc.assert(property, { numRuns: 60, seed: 7 });
  });
});

test("shares of the runs add up to all of them", () => {
  const sum = fuzzTargets().reduce((total, { share }) => total + share, 0);
  expect(sum).toBeCloseTo(1, 10);
});
