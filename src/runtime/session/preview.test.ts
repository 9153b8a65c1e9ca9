import { describe, expect, it } from "vitest";
import { prefillSpan } from "../request/prefillSpan";
import { covers, previewPlan } from "./preview";

const span = prefillSpan(
  { tiles: [{ image: "a", tile: 0, start: 3, count: 80 }] },
  { start: 0, end: 100 },
);
const shape = { layers: 2, kvHeads: 2 };
const none = [
  [0, 0],
  [0, 0],
];
const recorded = { span, spec: {}, taps: {}, scope: "visual", seed: 1, before: none } as const;
const settings = { policy: "streaming", retention: 0.25, scope: "visual", options: {} } as const;

describe("preview", () => {
  it("plans again from what was recorded", () => {
    const { layers, kvBytes } = previewPlan(recorded, shape, 10, settings);
    expect(layers.map(({ rows }) => rows)).toEqual([40, 40]);
    expect(layers[0]?.kept).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6],
      ...Array.from({ length: 33 }, (_, i) => 67 + i),
    ]);
    expect(kvBytes).toBe(2 * 2 * 64 * 10);
  });

  it("counts rows that stood before, and positions from the start of the prompt", () => {
    const later = {
      ...recorded,
      span: { ...span, start: 500 },
      before: [
        [60, 70],
        [0, 64],
      ],
    };
    const { layers, kvBytes } = previewPlan(later, shape, 10, settings);
    expect(layers[1]?.kept[0]).toBe(500);
    expect(kvBytes).toBe((128 + 128 + 64 + 128) * 10);
  });

  it("refuses what needs attention that was not recorded", () => {
    const needy = { ...settings, policy: "h2o" };
    expect(() => previewPlan(recorded, shape, 10, needy)).toThrow(/not recorded/);
  });
});

describe("covers", () => {
  const window = { rows: 8, aggregate: "mean", kernel: 1 } as const;
  const elite = { window: "elite", alpha: 0.9, perKvHead: false } as const;

  it("wants every tap with its parameters", () => {
    const known = { spec: { window, columnSum: true }, scope: "visual" } as const;
    expect(covers(known, {}, "prompt")).toBe(true);
    expect(covers(known, { window }, "prompt")).toBe(true);
    expect(covers(known, { window: { ...window, rows: 9 } }, "visual")).toBe(false);
    expect(covers(known, { lastRow: true }, "visual")).toBe(false);
  });

  it("holds votes valid for their own candidates only", () => {
    const known = { spec: { elite }, scope: "visual" } as const;
    expect(covers(known, { elite }, "visual")).toBe(true);
    expect(covers(known, { elite }, "prompt")).toBe(false);
  });
});
