import fs from "node:fs";
import { expect, test } from "vitest";
import { POLICIES, policyById } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import { readDocument, recordOf } from "@/store/library/importJson";
import { readAddress, writeAddress } from "@/store/settings/address";
import { INITIAL_SETTINGS } from "@/store/settings/settings";
import { modelOf, planReplay } from "./replayPlan";

/** What commit 548d026 wrote: exports are replayed, and links open, as they were then. */

function exported() {
  const json = fs.readFileSync("fixtures/conversations/exported.json", "utf8");
  let ids = 0;
  return recordOf(readDocument(json, "exported.json"), () => `n${ids++}`, 1);
}

test("an export is replayed question by question, the lanes of a comparison together", () => {
  const calls = planReplay(exported());
  expect(modelOf(calls)).toBe("keepsight-mini");
  expect(calls.map(({ question, attempts }) => [question, attempts.length])).toEqual([
    ["What is the total?", 1],
    ["And the date?", 2],
  ]);
  expect(calls.map(({ turns }) => turns.map(({ answerIds }) => answerIds !== undefined))).toEqual([
    [false],
    [true, false],
  ]);
  expect(calls.map(({ sampling }) => sampling.maxNewTokens)).toEqual(
    calls.map(({ attempts }) => {
      const { run } = attempts[0]!;
      return run.phase === "done" ? run.origin?.sampling.maxNewTokens : undefined;
    }),
  );
});

test("the engine takes the settings of an export, options by their former names included", () => {
  const all = exported().exchanges.flatMap(({ attempts }) => attempts);
  const resolved = all.map(({ settings }) =>
    resolveOptions(policyById(settings.policy), settings.options),
  );
  const renamed = all.findIndex(({ settings }) => "reading" in settings.options);
  expect(resolved[renamed]).toMatchObject({ variant: all[renamed]!.settings.options.reading });
  expect(resolved[renamed]).not.toHaveProperty("reading");
});

test("a link with every parameter opens, and is written with the same names", () => {
  const query =
    "?policy=h2o&keep=20&scope=prompt&cap=2.5&max-new-tokens=64&temperature=0.5&top-p=0.9&seed=7" +
    "&layer=3&veil=heat&sample=chart&o.reading=elasticRepo&o.sinks=4";
  const read = readAddress(query, POLICIES);
  expect(read).toMatchObject({
    policy: "h2o",
    keepPercent: 20,
    scope: "prompt",
    capMb: 2.5,
    sampling: { maxNewTokens: 64, temperature: 0.5, topP: 0.9, seed: 7 },
    layer: 2,
    overlay: "heat",
    sample: "chart",
    options: { h2o: { variant: "elasticRepo", sinks: 4 } },
  });
  const written = new URLSearchParams(writeAddress("", { ...INITIAL_SETTINGS, ...read }, POLICIES));
  const names = [...new URLSearchParams(query.replace("o.reading", "o.variant")).keys()];
  expect(new Set(written.keys())).toEqual(new Set(names));
});
