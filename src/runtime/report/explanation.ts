import type { Taps } from "@/compression/taps/registry";
import type { RowScores } from "@/compression/taps/tap";
import { type MovingSlots, StepAttention } from "@/model/decoder/stepAttention";
import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import type { Prompt } from "@/model/prompt/prompt";
import type { AnswerAttention, Explanation } from "@/protocol/result";
import { type PrefillSpan, visualRowsOf } from "../request/prefillSpan";
import type { TapRequest } from "./tapRecording";

/** Attention of the row that determines the first token: the prompt's last row. */
export interface FirstAttention {
  /** Original positions of the conversation's visual rows, ascending. */
  readonly positions: readonly number[];
  /** [layers, positions] bytes as in `AnswerAttention`. */
  readonly cells: Uint8Array<ArrayBuffer>;
}

/** Original positions of all visual rows of a conversation, ascending. */
export function visualPositions({ tiles }: Pick<Prompt, "tiles">): readonly number[] {
  return tiles.flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i));
}

/**
 * Adds the last row's attention to the requests of a prefill: over its own visual rows with the
 * first request, and over earlier cached rows with one more request at the end.
 */
export function withLastRow(
  requests: readonly TapRequest[],
  span: PrefillSpan,
  positions: readonly number[],
): readonly TapRequest[] {
  const uncached = requests.map((request, i) =>
    i === 0 && span.visual.length > 0
      ? { ...request, spec: { ...request.spec, lastRow: true as const } }
      : request,
  );
  if (!hasCachedImages(span, positions)) return uncached;
  const prompt = { rows: span.rows, visual: [], textStart: 0 };
  return [...uncached, { spec: { lastRow: true }, prompt, cachedSpan: true }];
}

function hasCachedImages({ start }: PrefillSpan, positions: readonly number[]): boolean {
  return (positions[0] ?? start) < start;
}

/** A prefill whose requests were those of `withLastRow`; its cache is not compacted yet. */
interface LastRowRecording {
  readonly cache: Pick<KvCache, "shape" | "positions">;
  /** Rows that were cached before the prefill; their slots have not changed. */
  readonly before: RowCounts;
  readonly span: PrefillSpan;
  readonly recorded: readonly Taps[];
}

/** The first token's attention to the rows at these original positions. */
export function firstAttentionOf(
  { cache, before, span, recorded }: LastRowRecording,
  positions: readonly number[],
): FirstAttention {
  const { layers, kvHeads } = cache.shape;
  const column = new Map(positions.map((position, i) => [position, i]));
  const shares = new Float64Array(layers * positions.length);
  const add = (
    tap: RowScores,
    positionOf: (layer: number, head: number, row: number) => number,
  ) => {
    for (const [i, value] of tap.data.entries()) {
      const line = Math.floor(i / tap.rows);
      const [layer, head] = [Math.floor(line / kvHeads), line % kvHeads];
      const at = column.get(positionOf(layer, head, i % tap.rows));
      if (at !== undefined) shares[layer * positions.length + at]! += value / kvHeads;
    }
  };
  const own = span.visual.length > 0 ? recorded[0]?.lastRow : undefined;
  if (own) add(own, (_, __, row) => span.start + (span.kept?.[row] ?? row));
  const cached = hasCachedImages(span, positions) ? recorded.at(-1)?.lastRow : undefined;
  if (cached) {
    const held = before.map((heads, layer) =>
      heads.map((rows, head) => cache.positions(layer, head).slice(0, rows)),
    );
    add(cached, (layer, head, slot) => held[layer]?.[head]?.[slot] ?? -1);
  }
  return { positions, cells: Uint8Array.from(shares, toByte) };
}

/** Encodes a probability as a byte b that means (b / 255)². */
function toByte(share: number): number {
  return Math.round(255 * Math.sqrt(Math.min(1, Math.max(0, share))));
}

/** A policy's scores of the visual rows of a prefill; undefined without scores or visual rows. */
export function policyImportance(
  scores: RowScores | undefined,
  { start, visual }: PrefillSpan,
): Explanation["importance"] {
  if (!scores || visual.length === 0) return undefined;
  const rows = visualRowsOf({ visual });
  const means = new Float32Array(scores.layers * rows.length);
  for (let line = 0; line < scores.layers * scores.heads; line++) {
    const to = Math.floor(line / scores.heads) * rows.length;
    for (const [i, row] of rows.entries()) {
      means[to + i]! += scores.data[line * scores.rows + row]! / scores.heads;
    }
  }
  return { positions: rows.map((row) => start + row), scores: means };
}

interface AnswerAttentionInput {
  readonly cache: KvCache;
  /** H, query heads. */
  readonly heads: number;
  readonly firstAttention: FirstAttention;
  readonly maxNewTokens: number;
  /** Present if rows are evicted while decoding. */
  readonly slots: MovingSlots | undefined;
}

/** Collects the attention of one answer while it is decoded. */
export class AnswerAttentionRecorder {
  /** Absent if the first token is the only one. */
  readonly hook: StepAttention | undefined;
  readonly #firstAttention: FirstAttention;
  readonly #layers: number;
  readonly #ends: number[] = [];

  private constructor(
    { firstAttention, cache }: AnswerAttentionInput,
    hook: StepAttention | undefined,
  ) {
    this.#firstAttention = firstAttention;
    this.#layers = cache.shape.layers;
    this.hook = hook;
  }

  /** Call it when the cache is ready for decoding. */
  static async create(input: AnswerAttentionInput): Promise<AnswerAttentionRecorder> {
    const { cache, heads, firstAttention, slots } = input;
    const { positions } = firstAttention;
    // The step that reads a token determines the next one, so the last token's step determines
    // none.
    const steps = input.maxNewTokens - 1;
    const hook =
      steps > 0 ? await StepAttention.create({ cache, heads, positions, steps, slots }) : undefined;
    return new AnswerAttentionRecorder(input, hook);
  }

  /** Records a new token and the number of characters of the answer so far. */
  arrive(characters: number): void {
    this.#ends.push(characters);
  }

  /** The record. @param characters number of characters of the whole answer */
  async read(characters: number): Promise<AnswerAttention> {
    const { positions, cells: first } = this.#firstAttention;
    const tokens = this.#ends.length;
    const steps = Math.min(tokens, 1 + (this.hook?.steps ?? 0));
    const later = steps > 1 ? await this.hook?.read(steps - 1) : undefined;
    const cells = new Uint8Array(steps * first.length);
    if (steps > 0) cells.set(first);
    if (later) cells.set(later, first.length);
    const ends = this.#ends.slice(0, steps).map((end) => Math.min(end, characters));
    return { positions, layers: this.#layers, steps, ends, cells };
  }

  destroy(): void {
    this.hook?.destroy();
  }
}
