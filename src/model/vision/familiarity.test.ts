import { describe, expect, it } from "vitest";
import { ModelFiles } from "../checkpoint/files";
import { Familiarity } from "./familiarity";

const ROWS = Float32Array.of(1, 1, 0, 2, 0, 0, 0, 0.5, 0); // mean, two directions of width 3

describe("Familiarity", () => {
  it("is the mean over rows of the root mean square along the directions", () => {
    const familiarity = new Familiarity(ROWS, 3, 1);
    const features = Float32Array.of(1, 1, 9, 2, 5, -7);
    // First row: on the mean but for what no direction measures. Second: 2 · 1 and 0.5 · 4.
    expect(familiarity.distance(features)).toBeCloseTo(Math.sqrt((4 + 4) / 2) / 2);
    expect(familiarity.isFamiliar(Float32Array.of(1, 1, 9))).toBe(true);
    expect(familiarity.isFamiliar(Float32Array.of(3, 5, 0))).toBe(false);
  });

  it("reads its file, refuses one of another width by name, and does without one", async () => {
    const serving = (body: Uint8Array<ArrayBuffer> | undefined) =>
      new ModelFiles("http://model/", {
        fetch: () => Promise.resolve(body ? new Response(body) : new Response("", { status: 404 })),
      });
    const bytes = new Uint8Array(ROWS.buffer.slice(0));
    const loaded = await Familiarity.load(serving(bytes), 3, 1);
    expect(loaded?.distance(Float32Array.of(3, 1, 0))).toBeCloseTo(Math.sqrt(16 / 2));
    await expect(Familiarity.load(serving(bytes), 4, 1)).rejects.toThrow(/familiar\.bin has 36/);
    expect(await Familiarity.load(serving(undefined), 3, 1)).toBeUndefined();
  });
});
