import { expect, it } from "vitest";
import type { Recorder } from "@/gpu/recorder";
import { type AttentionRecord, type DecodeHook, joinHooks } from "./hooks";

function logging(log: string[], name: string): DecodeHook {
  return {
    beforeStep: () => log.push(`${name} before`),
    afterAttention: () => log.push(`${name} attention`),
  };
}

it("is nothing without hooks, and a hook alone is itself", () => {
  const hook = logging([], "a");
  expect(joinHooks([])).toBeUndefined();
  expect(joinHooks([hook])).toBe(hook);
});

it("calls all hooks in their order", () => {
  const log: string[] = [];
  const joined = joinHooks([logging(log, "a"), logging(log, "b")]);
  joined?.beforeStep?.({ write: () => undefined });
  joined?.afterAttention?.({} as Recorder, {} as AttentionRecord);
  expect(log).toEqual(["a before", "b before", "a attention", "b attention"]);
  expect(joined?.afterStep).toBeUndefined();
});

it("counts the step's row once, and is final if one hook is", () => {
  const log: string[] = [];
  const counting: DecodeHook = { afterStep: () => log.push("counted"), isFinal: true };
  const joined = joinHooks([logging(log, "a"), counting]);
  joined?.afterStep?.();
  expect(log).toEqual(["counted"]);
  expect(joined?.isFinal).toBe(true);
  expect(() => joinHooks([counting, counting])).toThrow(RangeError);
});
