import { expect, it } from "vitest";
import type { RowScores } from "@/compression/taps/tap";
import type { KvCache } from "@/model/kv/cache";
import {
  AnswerAttentionRecorder,
  firstAttentionOf,
  policyImportance,
  visualPositions,
  withLastRow,
} from "./explanation";

const spec = { columnSum: true } as const;
const prompt = { rows: 6, visual: [], textStart: 0 };
/** Six rows behind ten others; the image is rows 1 and 2. */
const span = { start: 10, rows: 6, visual: [{ start: 1, end: 3 }], textStart: 3 };
const positions = [4, 5, 11, 12];

function scores(heads: number, rows: number, data: readonly number[]): RowScores {
  return { layers: data.length / heads / rows, heads, rows, data: Float32Array.from(data) };
}

/** Slots of two heads that kept other rows of the ten. */
const cache = {
  shape: { layers: 1, kvHeads: 2 },
  positions: (_: number, head: number) => (head === 0 ? [0, 4, 10, 11] : [5, 9, 10, 11]),
} as unknown as KvCache;

it("names the rows of all images", () => {
  const tile = { image: "a", tile: 0 };
  const tiles = [
    { ...tile, start: 4, count: 2 },
    { ...tile, start: 11, count: 2 },
  ];
  expect(visualPositions({ tiles })).toEqual(positions);
});

it("records the last row beside what a policy asked for, and over earlier images", () => {
  const [own, cached, ...others] = withLastRow([{ spec, prompt }], span, positions);
  expect(own).toEqual({ spec: { columnSum: true, lastRow: true }, prompt });
  expect(cached).toEqual({ spec: { lastRow: true }, prompt, cachedSpan: true });
  expect(others).toEqual([]);
  expect(withLastRow([{ spec, prompt }], { ...span, start: 0 }, [1, 2])).toHaveLength(1);
  const text = { ...span, visual: [] };
  expect(withLastRow([{ spec, prompt }], text, [4, 5])[0]).toEqual({ spec, prompt });
});

it("looks at rows of this prompt and at those of earlier ones that are left", () => {
  const own = scores(2, 6, [0, 0.04, 0.16, 0, 0, 0, 0, 0.12, 0.16, 0, 0, 0]);
  const cached = scores(2, 2, [0.3, 0.5, 0.06, 0.1]);
  const taps = [{ lastRow: own }, {}, { lastRow: cached }];
  const { cells } = firstAttentionOf({ cache, before: [[2, 2]], span, recorded: taps }, positions);
  // Position 4 is held by the first head alone, 5 by the second.
  const shares = [0.25, 0.03, 0.08, 0.16];
  expect([...cells]).toEqual(shares.map((share) => Math.round(255 * Math.sqrt(share))));
});

it("shows scores of visual rows, mean over heads, at their positions", () => {
  const ranked = scores(2, 6, [9, 1, 2, 0, 0, 0, 9, 3, 6, 0, 0, 0]);
  expect(policyImportance(ranked, span)).toEqual({
    positions: [11, 12],
    scores: Float32Array.of(2, 4),
  });
  expect(policyImportance(undefined, span)).toBeUndefined();
  expect(policyImportance(ranked, { ...span, visual: [] })).toBeUndefined();
});

it("needs no GPU for the only token of an answer", async () => {
  const firstAttention = { positions: [4, 5], cells: Uint8Array.of(7, 8) };
  const input = { cache, heads: 2, firstAttention, maxNewTokens: 1, slots: undefined };
  const recorder = await AnswerAttentionRecorder.create(input);
  expect(recorder.hook).toBeUndefined();
  recorder.arrive(3);
  expect(await recorder.read(2)).toEqual({
    positions: [4, 5],
    layers: 1,
    steps: 1,
    ends: [2],
    cells: Uint8Array.of(7, 8),
  });
  const none = await AnswerAttentionRecorder.create(input);
  expect(await none.read(0)).toMatchObject({ steps: 0, ends: [], cells: new Uint8Array() });
});
