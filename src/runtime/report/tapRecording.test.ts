import { afterEach, describe, expect, it, vi } from "vitest";
import type { KvCache } from "@/model/kv/cache";
import { TapRecorder } from "@/model/taps/taps";
import type { CacheSettings } from "@/protocol/request";
import type { LoadedModel } from "../load/loadedModel";
import { checkSettings } from "../request/request";
import { recordTaps, sharedTaps, tapsOf } from "./tapRecording";

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

describe("several recorders", () => {
  afterEach(() => vi.restoreAllMocks());
  const model = { decoder: { config: { heads: 2 } }, variants: {} } as LoadedModel;
  const requests = [tapsOf(lane("h2o"), span), tapsOf(lane("fastv"), span)];
  const failing = async () => {
    throw new RangeError("no memory");
  };
  /** The recorders that are made, the first by `first` and the second by `second`. */
  function recorders(first: Partial<TapRecorder>, second: Partial<TapRecorder> | undefined) {
    const destroyed: number[] = [];
    const create = vi.spyOn(TapRecorder, "create");
    for (const [index, each] of [first, second].entries()) {
      if (!each) create.mockImplementationOnce(failing);
      else {
        const made = { notices: [], destroy: () => destroyed.push(index), ...each };
        create.mockResolvedValueOnce(made as unknown as TapRecorder);
      }
    }
    return destroyed;
  }

  it("free the first one if there is no memory for the second", async () => {
    const destroyed = recorders({}, undefined);
    await expect(recordTaps(model, {} as KvCache, requests)).rejects.toThrow("no memory");
    expect(destroyed).toEqual([0]);
  });

  it("free the second one if the first one's numbers are not finite", async () => {
    const destroyed = recorders({ finish: failing }, {});
    const hook = await recordTaps(model, {} as KvCache, requests);
    await expect(hook.finish()).rejects.toThrow("no memory");
    expect(destroyed).toContain(1);
  });
});
