import type { AskRequest, ImageLayout, LayerReport, Stage, TurnResult } from "@/protocol/engine";
import { perToken } from "./report";

type Finish = TurnResult["finish"];

/** A turn as far as it has come: what is known of its result, and its clock. */
export class Progress {
  readonly #started = performance.now();
  readonly #ms = { vision: 0, prefill: 0, score: 0, plan: 0, compact: 0 };
  readonly #arrivals: number[] = [];
  readonly ids: number[] = [];
  readonly kvBytes = { before: 0, after: 0, peak: 0, end: 0, full: 0 };
  finish: Finish = "length";
  answer = "";
  promptTokens = 0;
  visualTokens = 0;
  isAppended = false;
  layers: readonly LayerReport[] = [];
  images: readonly ImageLayout[] = [];
  readonly notices: string[] = [];
  notes: TurnResult["notes"] = {};

  /** Times a stage; its milliseconds stand even if it throws. */
  async time<T>(stage: Exclude<Stage, "decode">, work: () => T | Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#ms[stage] += performance.now() - from;
    }
  }

  /** Notes a token that has come; milliseconds since the one before it, or since the question. */
  arrive(id: number): number {
    const at = performance.now();
    const since = this.#arrivals.at(-1) ?? this.#started;
    this.#arrivals.push(at);
    this.ids.push(id);
    return at - since;
  }

  result({ settings }: Pick<AskRequest, "settings">): TurnResult {
    const first = this.#arrivals[0];
    return {
      answer: this.answer,
      tokenIds: this.ids,
      finish: this.finish,
      promptTokens: this.promptTokens,
      visualTokens: this.visualTokens,
      appended: this.isAppended,
      policy: settings.policy,
      retention: settings.retention,
      scope: settings.scope,
      layers: this.layers,
      kvBytes: { ...this.kvBytes },
      ms: {
        ...this.#ms,
        firstToken: first === undefined ? 0 : first - this.#started,
        decodePerToken: perToken(this.#arrivals),
      },
      images: this.images,
      notices: [...new Set(this.notices)],
      notes: this.notes,
    };
  }
}
