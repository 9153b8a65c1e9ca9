import { describe, expect, it } from "vitest";
import type { CacheSettings } from "@/protocol/request";
import { checkSettings } from "../request/request";
import { sharedTaps, tapsOf } from "./tapRecording";

/** 40 rows: an image in rows 4 to 19, text behind it. */
const span = { start: 0, rows: 40, visual: [{ start: 4, end: 20 }], textStart: 20 };
const lane = (policy: string, rest: Partial<CacheSettings> = {}) =>
  checkSettings({ policy, retention: 0.5, scope: "visual", options: {}, ...rest });

describe("taps of one policy", () => {
  it("are recorded on the prompt's rows, with the window cut to the text", () => {
    const { spec, prompt } = tapsOf(lane("snapkv"), span);
    expect(prompt).toEqual({ rows: 40, visual: span.visual, textStart: 20 });
    expect(spec.window?.rows).toBeLessThanOrEqual(20);
  });

  it("are none where there is nothing to drop", () => {
    const text = { ...span, visual: [] };
    expect(tapsOf(lane("snapkv"), text).spec).toEqual({});
    expect(tapsOf(lane("snapkv", { scope: "prompt" }), text).spec).not.toEqual({});
  });

  it("count votes on the rows before the text in scope prompt", () => {
    const { keys } = tapsOf(lane("snapkv", { scope: "prompt" }), span).prompt;
    expect(Array.from(keys ?? []).filter(Boolean)).toHaveLength(20);
    expect([keys?.[19], keys?.[20]]).toEqual([1, 0]);
  });
});

describe("taps that lanes share", () => {
  it("are one request where parameters agree, with the taps of all", () => {
    const { requests, places } = sharedTaps([lane("h2o"), lane("fastv"), lane("h2o")], span);
    expect(places).toEqual([0, 0, 0]);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.spec).toEqual({
      ...tapsOf(lane("h2o"), span).spec,
      ...tapsOf(lane("fastv"), span).spec,
    });
  });

  it("are two requests where one tap has other parameters, and later lanes find theirs", () => {
    const wide = lane("snapkv", { options: { window: 16 } });
    const narrow = lane("snapkv", { options: { window: 8 } });
    const { requests, places } = sharedTaps([wide, narrow, wide, lane("h2o"), narrow], span);
    expect(places).toEqual([0, 1, 0, 0, 1]);
    expect(requests.map(({ spec }) => spec.window?.rows)).toEqual([16, 8]);
    expect(requests[1]?.spec).toEqual(tapsOf(narrow, span).spec);
  });

  it("are apart where the candidates differ", () => {
    const { requests, places } = sharedTaps([lane("h2o"), lane("h2o", { scope: "prompt" })], span);
    expect(places).toEqual([0, 1]);
    expect(requests.map(({ prompt }) => prompt.keys === undefined)).toEqual([true, false]);
  });

  it("are a request without taps where nobody asks for any", () => {
    const { requests, places } = sharedTaps([lane("full", { retention: 1 })], span);
    expect([places, requests.map(({ spec }) => spec)]).toEqual([[0], [{}]]);
  });
});
