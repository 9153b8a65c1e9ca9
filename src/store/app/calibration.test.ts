import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Engine } from "@/protocol/engine";
import { EngineError } from "@/protocol/failure";
import type { AskRequest } from "@/protocol/request";
import type { Chat } from "../chat/chat";
import type { StoredCaches } from "../chat/storedCaches";
import type { Load } from "../engine/load";
import { createCalibration } from "./calibration";

const SETTINGS = { policy: "prefixkv", retention: 0.2, scope: "visual", options: {} } as const;
const sample = (id: string) => ({ id, url: `x/${id}`, title: id, alt: id, questions: [`${id}?`] });
const layersOf = (rowsAfter: number) => ({
  ...{ layers: [{ rowsBefore: 100, rowsAfter }], scope: "visual", finish: "length" },
  ...{ promptTokens: 100, visualTokens: 50 },
});

/** A page whose engine answers with `ask`, unless the chat needs it. */
function setUp(
  ask: (request: AskRequest) => Promise<unknown>,
  { phase = "ready", isFree = true } = {},
) {
  const clear = vi.fn(async () => {});
  const freed = vi.fn();
  const borrow: Chat["borrow"] = async (use) => {
    if (isFree) await use({ ask, clear } as unknown as Engine);
    return isFree;
  };
  const load = { store: { getState: () => ({ phase }) } } as unknown as Load;
  const calibration = createCalibration({
    load,
    chat: { borrow },
    caches: { freed } as unknown as StoredCaches,
    samples: () => [sample("a"), sample("b")],
  });
  return { calibration, clear, freed };
}

beforeEach(() => void vi.stubGlobal("fetch", async () => new Response("image")));
afterEach(() => void vi.unstubAllGlobals());

it("averages the search over the samples' first questions, and leaves no page of them cached", async () => {
  const asked: string[] = [];
  const { calibration, clear, freed } = setUp(async ({ turns, fresh, sampling }) => {
    asked.push(turns[0]!.question);
    expect([fresh, sampling.maxNewTokens]).toEqual([true, 1]);
    expect(clear).not.toHaveBeenCalled();
    return layersOf(asked.length === 1 ? 80 : 60);
  });
  const phases: string[] = [];
  calibration.store.subscribe(({ phase }) => phases.push(phase));
  expect(await calibration.run(SETTINGS)).toEqual([0.6]);
  expect(asked).toEqual(["a?", "b?"]);
  expect(phases).toEqual(["running", "running", "idle"]);
  expect([clear, freed].map((each) => each.mock.calls.length)).toEqual([1, 1]);
});

it("says why it failed", async () => {
  const failing = async (...given: Parameters<typeof setUp>) => {
    const { calibration, clear } = setUp(...given);
    expect(await calibration.run(SETTINGS)).toBeUndefined();
    const state = calibration.store.getState();
    return state.phase === "failed" && [state.failure.code, clear.mock.calls.length];
  };
  const full = new EngineError({ code: "outOfMemory", message: "Full." });
  expect(await failing(() => Promise.reject(full))).toEqual(["outOfMemory", 1]);
  expect(await failing(async () => ({ ...layersOf(1), finish: "cancelled" }))).toEqual([
    "cancelled",
    1,
  ]);
  const never = () => Promise.reject(new Error("not asked"));
  expect(await failing(never, { phase: "loading" })).toEqual(["noModel", 0]);
  expect(await failing(never, { isFree: false })).toEqual(["busy", 0]);
});
