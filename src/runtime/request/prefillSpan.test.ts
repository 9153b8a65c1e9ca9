import { describe, expect, it } from "vitest";
import { planInput, prefillSpan } from "./prefillSpan";

const ids = Array.from({ length: 100 }, (_, i) => i);
const tile = (image: string, start: number) => ({ image, tile: 0, start, count: 10 });
const prompt = { tiles: [tile("a", 5), tile("b", 40)] };
const shape = { layers: 3, kvHeads: 2 };

describe("a prefill's span", () => {
  it("counts rows from the first token that was not seen", () => {
    expect(prefillSpan(prompt, { start: 0, end: 100 })).toEqual({
      start: 0,
      rows: 100,
      visual: [
        { start: 5, end: 15 },
        { start: 40, end: 50 },
      ],
      textStart: 50,
    });
    expect(prefillSpan(prompt, { start: 30, end: 100 })).toMatchObject({
      rows: 70,
      visual: [{ start: 10, end: 20 }],
      textStart: 20,
    });
  });

  it("leaves out what comes later", () => {
    expect(prefillSpan(prompt, { start: 0, end: 30 })).toMatchObject({
      rows: 30,
      visual: [{ start: 5, end: 15 }],
      textStart: 15,
    });
  });

  it("takes the last rows for the question where there is no image", () => {
    expect(prefillSpan(prompt, { start: 60, end: 100 })).toMatchObject({
      rows: 40,
      visual: [],
      textStart: 8,
    });
    expect(prefillSpan({ tiles: [] }, { start: 0, end: 2 })).toMatchObject({
      rows: 2,
      textStart: 1,
    });
    expect(prefillSpan({ tiles: [] }, { start: 0, end: 1 })).toMatchObject({
      rows: 1,
      textStart: 0,
    });
  });

  it("offers visual rows or every row, and budgets over the layers", () => {
    const span = prefillSpan(prompt, { start: 0, end: 100 });
    const inputOf = (scope: "visual" | "prompt") =>
      planInput({ span, shape, settings: { retention: 0.25, scope }, taps: {}, seed: 0 });
    const visual = inputOf("visual");
    expect(visual.candidates).toEqual(
      Uint32Array.from([...ids.slice(5, 15), ...ids.slice(40, 50)]),
    );
    expect(visual.budget).toBe(15);
    const all = inputOf("prompt");
    expect(all.candidates).toHaveLength(100);
    expect(all.budget).toBe(75);
  });

  it("tells policies where an appended prompt's positions begin", () => {
    const span = prefillSpan(prompt, { start: 20, end: 100 });
    const rotary = { theta: 10_000, headDim: 64 };
    const settings = { retention: 0.25, scope: "visual" } as const;
    const source = { span, settings, taps: {}, seed: 0 };
    const input = planInput({ ...source, shape: { ...shape, rotary } });
    expect(input.rotary).toEqual({ ...rotary, firstPosition: 20 });
    expect(planInput({ ...source, shape }).rotary).toBeUndefined();
  });
});
