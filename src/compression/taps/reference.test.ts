import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tapsFromAttention } from "./registry";
import type { PromptAttention, RowScores } from "./tap";

/** The fixtures were computed in single precision. */
const TOLERANCE = 1e-5;

interface Fixture {
  readonly shape: { layers: number; heads: number; kv_heads: number; seq: number; dim?: number };
  readonly params: Readonly<Record<string, number>> & { readonly image_span?: [number, number] };
  readonly inputs: { readonly attn_tri: { readonly b64: string } | string };
  // biome-ignore lint/suspicious/noExplicitAny: each method's fixture has a shape of its own
  readonly expected: any;
}

function load(name: string): Fixture {
  return JSON.parse(readFileSync(`fixtures/kv-golden/${name}.json`, "utf8"));
}

function floats(value: { readonly b64: string } | string | readonly number[]): Float32Array {
  if (Array.isArray(value)) return Float32Array.from(value);
  const text = typeof value === "string" ? value : (value as { readonly b64: string }).b64;
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function attentionOf({ shape, params, inputs }: Fixture, textRows?: number): PromptAttention {
  const { layers, heads, kv_heads: kvHeads, seq: rows } = shape;
  const packed = floats(inputs.attn_tri);
  const triangle = (rows * (rows + 1)) / 2;
  const [start, end] = params.image_span ?? [0, rows - (textRows ?? 1)];
  return {
    layers,
    heads,
    kvHeads,
    rows,
    visual: [{ start, end }],
    textStart: end,
    attention(layer, head, query) {
      const at = (layer * heads + head) * triangle + (query * (query + 1)) / 2;
      return packed.subarray(at, at + query + 1);
    },
  };
}

function row({ heads, rows, data }: RowScores, layer: number, head = 0): Float32Array {
  return data.subarray((layer * heads + head) * rows, (layer * heads + head + 1) * rows);
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(TOLERANCE);
  });
}

describe("taps from recorded attention", () => {
  it("finds AirCache's elite rows and their importance", () => {
    const fixture = load("aircache_ref_01");
    const input = attentionOf(fixture);
    const alpha = fixture.params.alpha!;
    const spec = { elite: { window: "elite", alpha, perKvHead: false } } as const;
    const { elite } = tapsFromAttention(spec, input);
    const [start, end] = fixture.params.image_span!;
    const { elite: rows, importance } = fixture.expected;
    for (let layer = 0; layer < input.layers; layer++) {
      expect([...elite!.rows[layer]![0]!]).toEqual(rows[layer]);
      const scores = row(elite!.importance, layer).subarray(start, end);
      expectClose(scores, floats(importance[layer]));
    }
  });

  it("gives TGV-KV's shares, weights and visual scores", () => {
    const fixture = load("tgvkv_01");
    const { textImage } = tapsFromAttention({ textImage: true }, attentionOf(fixture));
    const { tv_share, text_weight, visual_score } = fixture.expected.prefill;
    const total = textImage!.visualShare.reduce((sum, value) => sum + value, 0);
    const share = textImage!.visualShare.map((value) => value / total);
    const [start, end] = fixture.params.image_span!;
    expectClose(share, floats(tv_share));
    expectClose(textImage!.textWeight.data, floats(text_weight));
    const scores = Array.from({ length: fixture.shape.layers }, (_, layer) => [
      ...row(textImage!.visualScore, layer).subarray(start, end),
    ]);
    expectClose(Float32Array.from(scores.flat()), floats(visual_score));
  });

  it("gives VL-Cache's sparsity", () => {
    const fixture = load("vlcache_effivlm_01");
    const input = attentionOf(fixture, fixture.params.post_vision);
    const threshold = fixture.params.threshold_p!;
    const { postVision } = tapsFromAttention({ postVision: { threshold } }, input);
    expectClose(postVision!.sparsity, floats(fixture.expected.sparsity));
  });

  it("gives DefensiveKV's pooled maximum, before its floor", () => {
    const fixture = load("snapkv_modifiers_ref_01");
    const input = attentionOf(fixture);
    const { window_size: rows, kernel_size: kernel } = fixture.params;
    const spec = { rows: rows!, kernel: kernel!, aggregate: "defensive" } as const;
    const { window } = tapsFromAttention({ window: spec }, input);
    const before = input.rows - rows!;
    const expected = floats(fixture.expected.defensive[0].scores_kv_head);
    for (let head = 0; head < input.layers * input.kvHeads; head++) {
      const scores = row(window!, 0, head);
      const pooled = scores.subarray(0, before);
      const floor = pooled.reduce((sum, value) => sum + value / before, 0);
      expectClose(
        pooled.map((value) => Math.max(value, floor)),
        expected.subarray(head * before, (head + 1) * before),
      );
      expect(scores.subarray(before).every((value) => value === 0)).toBe(true);
    }
  });

  it("sums columns as the releases of Elastic Cache and PrefixKV do", () => {
    const fixture = load("elastic_01");
    const input = attentionOf(fixture, 1);
    const { columnSum } = tapsFromAttention({ columnSum: true }, input);
    const { score_sum } = fixture.expected.prefill;
    const { kvHeads, rows } = input;
    const mean = Float32Array.from({ length: input.layers * rows }, (_, i) => {
      const layer = Math.floor(i / rows);
      const heads = Array.from({ length: kvHeads }, (_, head) => row(columnSum!, layer, head));
      return heads.reduce((sum, scores) => sum + scores[i % rows]! / kvHeads, 0);
    });
    expectClose(mean, floats(score_sum));
  });

  it("keeps the energy of what the low-pass cuts (Parseval)", () => {
    const [rows, headDim] = [11, 4];
    const values = Float32Array.from({ length: rows * headDim }, (_, i) => Math.sin(i * i) + 0.3);
    const keyValues = { kvHeads: 1, rows, headDim, k: values, v: values };
    const base = { ...attentionOf(load("tgvkv_01")), layers: 1, keyValues };
    const all = tapsFromAttention({ spectral: { gamma: 1 } }, base).spectral!;
    expect(Math.max(...all.deviation.data)).toBeLessThan(1e-12);
    const half = tapsFromAttention({ spectral: { gamma: 0.5 } }, base).spectral!;
    const energy = values.reduce((sum, value) => sum + value * value, 0);
    const cut = half.deviation.data.reduce((sum, value) => sum + value, 0) * headDim;
    expect(half.highShare[0]).toBeCloseTo(cut / energy, 6);
  });
});
