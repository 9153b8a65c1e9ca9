import { describe, expect, it } from "vitest";
import { planFor } from "./plan";
import { handMade, madeUpInput, SMALL_PROMPT } from "./reference/promptFixture";
import { POLICIES, policyById } from "./registry";
import { resolveOptions } from "./resolveOptions";
import { PolicyError } from "./types";

const snapKv = policyById("snapkv");
const airCache = policyById("aircache");

describe("options", () => {
  it("fills in defaults and keeps what was given", () => {
    const options = resolveOptions(snapKv, { window: 16 });
    expect(options).toMatchObject({ window: 16, kernel: 5, pooling: "avg", protect: "none" });
  });

  it.each([
    [airCache, { alpha: 1.5 }, "AirCache: alpha must be a number from 0 to 1, not 1.5."],
    [snapKv, { window: -1 }, "SnapKV: window must be a whole number from 1 to 512, not -1."],
    [snapKv, { window: 2.5 }, "SnapKV: window must be a whole number from 1 to 512, not 2.5."],
    [
      snapKv,
      { window: "many" },
      'SnapKV: window must be a whole number from 1 to 512, not "many".',
    ],
    [snapKv, { pooling: "sum" }, 'SnapKV: pooling must be one of avg, max, not "sum".'],
    [snapKv, { blend: Number.NaN }, "SnapKV: blend must be a number from 0 to 1, not null."],
    [policyById("full"), { alpha: 1 }, 'Full cache has no option "alpha"; its options: none.'],
  ] as const)("refuses %o %o", (policy, given, message) => {
    expect(() => resolveOptions(policy, given)).toThrow(new PolicyError(message));
  });

  it("names the options that exist where one does not", () => {
    expect(() => resolveOptions(snapKv, { toString: 1 })).toThrow(/its options: window, kernel/);
  });

  it("takes a renamed option by its old name, and the new one where both are given", () => {
    const streaming = policyById("streaming");
    expect(resolveOptions(streaming, { reading: "local" })).toMatchObject({ variant: "local" });
    const both = resolveOptions(streaming, { reading: "local", variant: "paper" });
    expect(both).toMatchObject({ variant: "paper" });
    const wrong = () => resolveOptions(streaming, { reading: "x" });
    expect(wrong).toThrow("StreamingLLM: variant must be one of paper, local");
  });

  it("has old names that no option bears", () => {
    for (const { options } of POLICIES) {
      const old = Object.values(options).flatMap(({ formerly }) => formerly ?? []);
      expect(new Set([...old, ...Object.keys(options)]).size).toBe(
        old.length + Object.keys(options).length,
      );
    }
  });

  it("refuses an even kernel", () => {
    const message = "SnapKV: kernel must be an odd number from 1 to 63, not 4.";
    expect(() => resolveOptions(snapKv, { kernel: 4 })).toThrow(message);
  });

  it("names the policies that exist where one does not", () => {
    expect(() => policyById("snap")).toThrow(
      /There is no policy "snap"; there are aircache, prefixkv, elastic, full/,
    );
  });

  it("has unique ids, and loses none that links and saved files use", () => {
    const ids = POLICIES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const used =
      "full random uniform aircache prefixkv elastic h2o snapkv streaming tova pyramidkv fastv " +
      "lookm vlcache knorm tgvkv mixkv bacon adakv flashcache";
    expect(ids).toEqual(expect.arrayContaining(used.split(" ")));
  });

  it("has options whose defaults are valid", () => {
    for (const policy of POLICIES) {
      const defaults = resolveOptions(policy, {});
      expect(resolveOptions(policy, defaults)).toEqual(defaults);
    }
  });
});

describe("a plan", () => {
  const input = handMade({}, { rows: 10, layers: 2, budget: 6 });
  const uniform = policyById("uniform");

  it.each([0, -0.1, 1.1, Number.NaN])("refuses a retention of %f", (retention) => {
    expect(() => planFor(uniform, { ...input, retention })).toThrow(PolicyError);
  });

  it("refuses a budget that leaves a layer empty", () => {
    expect(() => planFor(uniform, { ...input, budget: 1 })).toThrow(
      "leaves some of 2 layers empty",
    );
  });

  it("says what it clamped", () => {
    const spec = snapKv.taps(resolveOptions(snapKv, {}));
    const prompt = madeUpInput(SMALL_PROMPT, spec, { retention: 0.1, scope: "prompt" });
    expect(planFor(snapKv, prompt).notices).toEqual([
      { code: "shorterWindow", asked: 32, used: 14 },
      { code: "windowOnly", rows: 6 },
    ]);
    const streaming = policyById("streaming");
    expect(planFor(streaming, input, { sinks: 8 }).notices).toEqual([
      { code: "fewerProtected", asked: 8, rows: 3 },
    ]);
  });
});
