import { expect, test } from "vitest";
import { isWithin } from "@/compression/options";
import type { PolicyInfo } from "./policyInfo";
import { completeOptions } from "./policyInfo";
import {
  cacheSettings,
  clampPercent,
  INITIAL_SETTINGS,
  SAMPLING_LIMITS,
  sameSettings,
  stepLayer,
} from "./settings";

const policies: readonly PolicyInfo[] = [
  { id: "full", label: "Full cache", summary: "", options: {} },
  {
    id: "prefixkv",
    label: "PrefixKV",
    summary: "",
    options: {
      sinks: { kind: "number", label: "", help: "", min: 0, max: 16, integer: true, default: 1 },
      mode: {
        kind: "text",
        label: "",
        help: "",
        pattern: "[a-z]+",
        example: "a",
        default: "online",
      },
    },
  },
];
const state = { ...INITIAL_SETTINGS, policy: "prefixkv", keepPercent: 20 };

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

test("a cap travels where there is one, and bounds the full cache as well", () => {
  expect(cacheSettings(state, policies)).not.toHaveProperty("capMb");
  const capped = cacheSettings({ ...state, policy: "full", capMb: 1.5 }, policies);
  expect(capped).toMatchObject({ policy: "full", capMb: 1.5 });
  expect(sameSettings(capped, { ...capped, capMb: 2 })).toBe(false);
});

test("limits hold at both ends, and whole numbers are whole", () => {
  const { seed, topP } = SAMPLING_LIMITS;
  expect([0, 1, 2 ** 32 - 1, -1, 2 ** 32, 0.5].map((value) => isWithin(value, seed))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect([0, 0.9, 1, 1.1, Number.NaN].map((value) => isWithin(value, topP))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
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
