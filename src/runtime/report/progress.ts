import type {
  AskRequest,
  Explanation,
  ImageLayout,
  LayerReport,
  Phase,
  TurnResult,
} from "@/protocol/engine";
import { perToken } from "./report";

type Finish = TurnResult["finish"];

/** A turn as far as it has come: what is known of its result, and its clock. */
export class Progress {
  #started = performance.now();
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
  /** As far as it is known; absent where nobody asked for it. */
  explanation: Explanation | undefined;

  /** A lane's own progress, with what is shared so far; its clock stands still until `resume`. */
  fork(): Progress {
    const lane = new Progress();
    Object.assign(lane.#ms, this.#ms);
    lane.#started = performance.now() - this.#started;
    Object.assign(lane.kvBytes, this.kvBytes);
    lane.promptTokens = this.promptTokens;
    lane.visualTokens = this.visualTokens;
    lane.images = this.images;
    lane.notices.push(...this.notices);
    lane.explanation = this.explanation;
    return lane;
  }

  /** Lets a fork's clock go on: as if nothing had been done for other lanes in between. */
  resume(): void {
    const { plan, compact } = this.#ms;
    this.#started = performance.now() - this.#started - plan - compact;
  }

  /** Times a phase; its milliseconds stand even if it throws. */
  async time<T>(phase: Exclude<Phase, "decode">, work: () => T | Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#ms[phase] += performance.now() - from;
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
      ...(this.explanation && { explanation: this.explanation }),
    };
  }
}
