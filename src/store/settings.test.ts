import { expect, test } from "vitest";
import type { PolicyInfo } from "./policyInfo";
import { completeOptions } from "./policyInfo";
import { cacheSettings, clampPercent, DEFAULT_SETTINGS, sameSettings, stepLayer } from "./settings";

const policies: readonly PolicyInfo[] = [
  { id: "full", label: "Full cache", summary: "", options: {} },
  {
    id: "prefixkv",
    label: "PrefixKV",
    summary: "",
    options: {
      sinks: { kind: "number", label: "", help: "", min: 0, max: 16, integer: true, default: 1 },
      mode: { kind: "text", label: "", help: "", pattern: "[a-z]+", default: "online" },
    },
  },
];
const state = { ...DEFAULT_SETTINGS, policy: "prefixkv", keepPercent: 20 };

test("settings that travel have every option, and nothing that is out of range", () => {
  const chosen = { ...state, options: { prefixkv: { sinks: 4, mode: "UP", unknown: 1 } } };
  expect(cacheSettings(chosen, policies)).toEqual({
    policy: "prefixkv",
    retention: 0.2,
    scope: "visual",
    options: { sinks: 4, mode: "online" },
  });
  expect(completeOptions(policies[1]!, { sinks: 2.5 })).toEqual({ sinks: 1, mode: "online" });
});

test("the full cache keeps everything, whatever the slider says", () => {
  expect(cacheSettings({ ...state, policy: "full" }, policies).retention).toBe(1);
});

test("settings are compared by what changes an answer", () => {
  const a = cacheSettings(state, policies);
  expect(sameSettings(a, cacheSettings({ ...state }, policies))).toBe(true);
  expect(sameSettings(a, { ...a, retention: 0.1 })).toBe(false);
  expect(sameSettings(a, { ...a, options: { ...a.options, sinks: 2 } })).toBe(false);
  const full = { ...a, policy: "full" };
  expect(sameSettings(full, { ...full, scope: "prompt" })).toBe(true);
});

test("layers stop at both ends, and all of them stand before the first", () => {
  expect(stepLayer(0, -1, 8)).toBe("all");
  expect(stepLayer("all", -1, 8)).toBe("all");
  expect(stepLayer("all", 1, 8)).toBe(0);
  expect(stepLayer(7, 1, 8)).toBe(7);
});

test("percent stay between 1 and 100", () => {
  expect([0, 0.4, 33.4, 1000, Number.NaN].map(clampPercent)).toEqual([1, 1, 33, 100, 100]);
});
