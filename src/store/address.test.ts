import { describe, expect, test } from "vitest";
import { type Addressed, readAddress, writeAddress } from "./address";
import type { PolicyInfo } from "./policyInfo";
import { DEFAULT_SETTINGS } from "./settings";

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
      reading: {
        kind: "choice",
        label: "Reading",
        help: "",
        values: ["paper", "release"],
        default: "paper",
      },
    },
  },
];

const { theme: _, ...settings } = DEFAULT_SETTINGS;

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
      veil: "off",
      sample: "chart",
      options: { aircache: { alpha: 0.5, reading: "release" } },
    };
    const query = writeAddress("", state, policies);
    expect(query).toContain("layer=5");
    expect(readAddress(query, policies)).toEqual(state);
    expect(
      readAddress(writeAddress(query, { ...state, layer: "all" }, policies), policies),
    ).toEqual({ ...state, layer: "all" });
    const heat = { ...state, veil: "heat" } as const;
    expect(readAddress(writeAddress(query, heat, policies), policies)).toEqual(heat);
  });

  test("drops options of a policy that was left", () => {
    const query = "?policy=aircache&o.alpha=0.5";
    expect(writeAddress(query, { ...settings, policy: "full" }, policies)).toBe("?policy=full");
  });

  test("that nobody can mean changes nothing", () => {
    const query = "?policy=nope&keep=0&scope=all&layer=0&veil=x&sample=";
    expect(readAddress(query, policies)).toEqual({});
    expect(readAddress("?keep=abc&layer=2.5", policies)).toEqual({});
    expect(readAddress("?policy=aircache&o.alpha=7&o.reading=x", policies).options).toEqual({
      aircache: { alpha: 0.9, reading: "paper" },
    });
  });
});
