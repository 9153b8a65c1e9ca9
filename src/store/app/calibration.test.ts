import { afterEach, expect, it, vi } from "vitest";
import type { Engine } from "@/protocol/engine";
import { EngineError } from "@/protocol/failure";
import type { AskRequest } from "@/protocol/request";
import type { Load } from "../engine/load";
import { createCalibration } from "./calibration";

const SETTINGS = { policy: "prefixkv", retention: 0.2, scope: "visual", options: {} } as const;
const sample = (id: string) => ({ id, url: `x/${id}`, title: id, alt: id, questions: [`${id}?`] });

function loaded(ask: (request: AskRequest) => Promise<unknown>, phase = "ready"): Load {
  const engine = { ask } as unknown as Engine;
  return { engine: () => engine, store: { getState: () => ({ phase }) } } as unknown as Load;
}

afterEach(() => vi.unstubAllGlobals());

it("averages the search over the samples' first questions", async () => {
  vi.stubGlobal("fetch", async () => new Response("image"));
  const asked: string[] = [];
  const load = loaded(async ({ turns, fresh, sampling }) => {
    asked.push(turns[0]!.question);
    expect([fresh, sampling.maxNewTokens]).toEqual([true, 1]);
    const layers = [{ rowsBefore: 100, rowsAfter: asked.length === 1 ? 80 : 60 }];
    return { layers, scope: "visual", promptTokens: 100, visualTokens: 50 };
  });
  const calibration = createCalibration(load, () => [sample("a"), sample("b")]);
  const phases: string[] = [];
  calibration.store.subscribe(({ phase }) => phases.push(phase));
  expect(await calibration.run(SETTINGS)).toEqual([0.6]);
  expect(asked).toEqual(["a?", "b?"]);
  expect(phases).toEqual(["running", "running", "idle"]);
});

it("says why it failed", async () => {
  vi.stubGlobal("fetch", async () => new Response("image"));
  const busy = createCalibration(
    loaded(() => Promise.reject(new EngineError({ code: "busy", message: "Busy." }))),
    () => [sample("a")],
  );
  expect(await busy.run(SETTINGS)).toBeUndefined();
  expect(busy.store.getState()).toEqual({
    phase: "failed",
    failure: { code: "busy", message: "Busy." },
  });
  const early = createCalibration(
    loaded(async () => ({}), "loading"),
    () => [sample("a")],
  );
  expect(await early.run(SETTINGS)).toBeUndefined();
  expect(early.store.getState().phase).toBe("failed");
});
