import { describe, expect, test } from "vitest";
import { type Addressed, readAddress, readQuestion, writeAddress, writeQuestion } from "./address";
import type { PolicyInfo } from "./policyInfo";
import { INITIAL_SETTINGS } from "./settings";

const policies: readonly PolicyInfo[] = [
  { id: "full", label: "Full cache", summary: "", options: {} },
  {
    id: "aircache",
    label: "AirCache",
    summary: "",
    options: {
      alpha: {
        kind: "number",
        label: "Alpha",
        help: "",
        min: 0,
        max: 1,
        integer: false,
        default: 0.9,
      },
      variant: {
        kind: "choice",
        label: "Variant",
        formerly: "reading",
        help: "",
        values: ["paper", "release"],
        default: "paper",
      },
    },
  },
];

const { theme: _theme, language: _language, weights: _weights, ...settings } = INITIAL_SETTINGS;

describe("address", () => {
  test("of the defaults is empty, and leaves other parameters alone", () => {
    expect(writeAddress("", settings, policies)).toBe("");
    expect(writeAddress("?engine=scripted&keep=5", settings, policies)).toBe("?engine=scripted");
  });

  test("survives being written and read", () => {
    const state: Addressed = {
      ...settings,
      policy: "aircache",
      keepPercent: 5,
      scope: "prompt",
      layer: 4,
      overlay: "off",
      sample: "chart",
      options: { aircache: { alpha: 0.5, variant: "release" } },
      capMb: 1.5,
      cacheType: "q8",
      comparesWithFull: false,
      sampling: { maxNewTokens: 64, temperature: 0.7, topK: 0, topP: 0.9, seed: 7 },
    };
    const query = writeAddress("", state, policies);
    expect(query).toContain("layer=5");
    expect(query).toContain("reference=off");
    expect(query).toContain("cap=1.5&kv=q8&max-new-tokens=64&temperature=0.7&top-p=0.9&seed=7");
    expect(readAddress(query, policies)).toEqual(state);
    const { layer: _layer, ...others } = state;
    expect(writeAddress(query, { ...state, layer: "all" }, policies)).not.toContain("layer");
    expect(readAddress("?layer=all", policies)).toEqual({ layer: "all" });
    expect(readAddress(query.replace("layer=5", ""), policies)).toEqual(others);
    const heat = { ...state, overlay: "heat" } as const;
    expect(readAddress(writeAddress(query, heat, policies), policies)).toEqual(heat);
  });

  test("drops options of a policy that was left", () => {
    const query = "?policy=aircache&o.alpha=0.5";
    expect(writeAddress(query, { ...settings, policy: "full" }, policies)).toBe("?policy=full");
  });

  test("of an earlier version names an option as it was called then", () => {
    const old = "?policy=aircache&o.reading=release";
    const { options } = readAddress(old, policies);
    expect(options).toEqual({ aircache: { alpha: 0.9, variant: "release" } });
    const { sample: _sample, ...given } = readAddress(old, policies);
    expect(writeAddress(old, { ...settings, ...given }, policies)).toBe(
      "?policy=aircache&o.variant=release",
    );
    const both = readAddress("?policy=aircache&o.variant=paper&o.reading=release", policies);
    expect(both.options?.aircache).toMatchObject({ variant: "paper" });
  });

  test("of a shared question carries it once", () => {
    const state: Addressed = { ...settings, policy: "aircache", keepPercent: 5, sample: "chart" };
    const shared = {
      question: "How much is +5 % & more?",
      lanes: [
        { policy: "full", keepPercent: 100, options: {} },
        { policy: "aircache", keepPercent: 5, options: { alpha: 0.9, variant: "paper" } },
      ],
    };
    const query = writeQuestion(shared, state, policies);
    expect(readQuestion(query!, policies)).toEqual(shared);
    expect(readAddress(query!, policies)).toMatchObject({ keepPercent: 5, sample: "chart" });
    expect(writeAddress(query!, state, policies)).not.toContain("ask");
    expect(readQuestion("?ask=&lanes=full:100", policies)).toBeUndefined();
    expect(readQuestion("?ask=a&lanes=nope:3,full:0,full:100", policies)?.lanes).toEqual([]);
  });

  test("of a shared comparison carries the options of each lane", () => {
    const own = { alpha: 0.5, variant: "paper" };
    const state: Addressed = { ...settings, policy: "aircache", options: { aircache: own } };
    const lanes = [{ variant: "release" }, {}, { alpha: 0.9 }].map((changed) => {
      return { policy: "aircache", keepPercent: 5, options: { ...own, ...changed } };
    });
    const query = writeQuestion({ question: "What?", lanes }, state, policies);
    expect(query).toContain("o.alpha=0.5");
    expect(query).toContain("&o1.variant=release&o3.alpha=0.9");
    expect(readQuestion(query!, policies)?.lanes).toEqual(lanes);
    expect(writeAddress(query!, state, policies)).toBe("?policy=aircache&o.alpha=0.5");
    const full = { policy: "full", keepPercent: 100, options: {} };
    const other = writeQuestion(
      { question: "What?", lanes: [full, lanes[0]!] },
      { ...settings, policy: "full" },
      policies,
    );
    expect(readQuestion(other!, policies)?.lanes).toEqual([full, lanes[0]]);
  });

  test("of an earlier version's comparison has the options of its policy", () => {
    const old = "?policy=aircache&o.reading=release&ask=a&lanes=nope:1,full:100,aircache:5";
    expect(readQuestion(old, policies)?.lanes).toEqual([
      { policy: "full", keepPercent: 100, options: {} },
      { policy: "aircache", keepPercent: 5, options: { alpha: 0.9, variant: "release" } },
    ]);
    const odd = readQuestion(`${old}&o3.alpha=7&o3.variant=paper&o1.x=1`, policies);
    expect(odd?.lanes[1]?.options).toEqual({ alpha: 0.9, variant: "paper" });
  });

  test("of a question that is too long for a link is none", () => {
    const of = (question: string) => writeQuestion({ question, lanes: [] }, settings, policies);
    expect(readQuestion(of("?".repeat(500))!, policies)?.question).toHaveLength(500);
    expect(of("?".repeat(501))).toBeUndefined();
  });

  test("names of sampling only what is not the default", () => {
    const sampling = { ...settings.sampling, seed: 7 };
    expect(writeAddress("", { ...settings, sampling }, policies)).toBe("?seed=7");
    expect(readAddress("?seed=7", policies)).toEqual({ sampling });
  });

  test("that nobody can mean changes nothing", () => {
    const numbers = "?cap=0&max-new-tokens=2.5&temperature=-1&top-p=0&seed=x&cap=";
    expect(readAddress(numbers, policies)).toEqual({});
    expect(readAddress("?cap=&seed=", policies)).toEqual({});
    const query = "?policy=nope&keep=0&scope=all&layer=0&veil=x&sample=";
    expect(readAddress(query, policies)).toEqual({});
    expect(readAddress("?keep=abc&layer=2.5", policies)).toEqual({});
    expect(readAddress("?policy=aircache&o.alpha=7&o.variant=x", policies).options).toEqual({
      aircache: { alpha: 0.9, variant: "paper" },
    });
  });
});
