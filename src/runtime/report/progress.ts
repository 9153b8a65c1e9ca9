import type { GeneratedToken } from "@/model/decoder/generation";
import type { Stage } from "@/protocol/event";
import type { Notice } from "@/protocol/notice";
import type { AskRequest } from "@/protocol/request";
import type { Explanation, ImageLayout, LayerReport, TurnResult } from "@/protocol/result";
import type { PrefillSpan } from "../request/prefillSpan";
import { perToken } from "./report";

type Finish = TurnResult["finish"];
type KvBytes = TurnResult["kvBytes"];

/** Milliseconds of stages. */
type StageMs = Record<Exclude<Stage, "decode" | "reference">, number>;

const NO_TIME: StageMs = { vision: 0, prefill: 0, score: 0, plan: 0, compact: 0 };

/** The known part of a turn's result, and its clock. Each method records an event. */
export class Progress {
  /** Whether the request asked for an explanation. */
  readonly explains: boolean;
  #started = performance.now();
  readonly #ms = { ...NO_TIME };
  /** Of a fork: the times that it has in common with others. */
  #shared: Readonly<StageMs> = NO_TIME;
  readonly #arrivals: number[] = [];
  readonly #ids: number[] = [];
  readonly #logProbabilities: number[] = [];
  /** By content, so that each is said once. */
  readonly #notices = new Map<string, Notice>();
  #kvBytes: KvBytes = { before: 0, after: 0, peak: 0, end: 0, full: 0 };
  #finish: Finish = "length";
  #answer = "";
  #promptTokens = 0;
  #visualTokens = 0;
  #promptIds: readonly number[] | undefined;
  #isAppended = false;
  #layers: readonly LayerReport[] = [];
  #images: readonly ImageLayout[] = [];
  #notes: TurnResult["notes"] = {};
  #importance: Explanation["importance"];
  #attention: Explanation["attention"];

  constructor(explains = false) {
    this.explains = explains;
  }

  /** Generated ids, in order. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  get images(): readonly ImageLayout[] {
    return this.#images;
  }

  get layers(): readonly LayerReport[] {
    return this.#layers;
  }

  /** A lane's own progress with a copy of the shared state. Its clock is stopped until `resume`. */
  fork(): Progress {
    const lane = new Progress(this.explains);
    Object.assign(lane.#ms, this.#ms);
    lane.#shared = { ...this.#ms };
    lane.#started = performance.now() - this.#started;
    lane.#kvBytes = this.#kvBytes;
    lane.#promptTokens = this.#promptTokens;
    lane.#visualTokens = this.#visualTokens;
    lane.#images = this.#images;
    lane.notice(...this.#notices.values());
    return lane;
  }

  /** Restarts a fork's clock, so that it excludes the time spent on other lanes. */
  resume(): void {
    const own = sumOf(this.#ms) - sumOf(this.#shared);
    this.#started = performance.now() - this.#started - own;
  }

  /** A prefill of its own follows: the time of the shared one and of its taps does not count. */
  prefillsAgain(): void {
    const { prefill, score } = this.#shared;
    this.#started += prefill + score;
    this.#ms.prefill -= prefill;
    this.#ms.score -= score;
  }

  /** Times a stage; its milliseconds are recorded even if it throws. */
  async time<T>(stage: keyof StageMs, work: () => T | Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#ms[stage] += performance.now() - from;
    }
  }

  notice(...notices: readonly Notice[]): void {
    for (const notice of notices) this.#notices.set(JSON.stringify(notice), notice);
  }

  /** The question was found answerable. */
  prepared(images: readonly ImageLayout[], notices: readonly Notice[]): void {
    this.#images = images;
    this.notice(...notices);
  }

  /** The cache already holds `start` tokens. @returns whether this is the first segment of the turn */
  begin(start: number): boolean {
    if (this.#promptTokens > 0) return false;
    this.#isAppended = start > 0;
    return true;
  }

  prefilling({ rows, visual }: PrefillSpan): void {
    this.#promptTokens += rows;
    this.#visualTokens += visual.reduce((sum, tile) => sum + tile.end - tile.start, 0);
  }

  /** @param bytes of the uncompressed cache */
  prefilled(bytes: number): void {
    this.#kvBytes = { ...this.#kvBytes, before: bytes };
  }

  /** @param importance the policy's scores, if any; the last segment's are used */
  planned(importance: Explanation["importance"]): void {
    this.#importance = importance;
  }

  compacted(bytes: number, layers: readonly LayerReport[], notes: TurnResult["notes"] = {}): void {
    this.#kvBytes = { ...this.#kvBytes, after: bytes };
    this.#layers = layers;
    this.#notes = notes;
  }

  /** Returns the prompt's ids with the result. */
  tellPrompt(ids: readonly number[]): void {
    this.#promptIds = ids;
  }

  /**
   * Records a new token. Those of a group come together; their `ms` spread its time over them.
   * @returns milliseconds since the previous one, or since the question
   */
  arrive({ id, logProbability, ms }: GeneratedToken): number {
    const before = this.#arrivals.at(-1);
    const at = before === undefined ? performance.now() : before + ms;
    const since = before ?? this.#started;
    this.#arrivals.push(at);
    this.#ids.push(id);
    this.#logProbabilities.push(logProbability);
    return at - since;
  }

  /** Decoding has ended for any reason. @param layers reports with `rowsEnd` */
  answered(answer: string, layers: readonly LayerReport[]): void {
    this.#answer = answer;
    this.#layers = layers;
  }

  /** The cache is at rest. @param layers reports with `keptEnd` where rows went during the answer */
  rested(layers: readonly LayerReport[]): void {
    this.#layers = layers;
  }

  attended(attention: Explanation["attention"]): void {
    this.#attention = attention;
  }

  finish(reason: Finish): void {
    this.#finish = reason;
  }

  /** Nothing more happens in this turn. */
  close(bytes: Pick<KvBytes, "peak" | "end" | "full">): void {
    this.#kvBytes = { ...this.#kvBytes, ...bytes };
  }

  result({ settings }: Pick<AskRequest, "settings">): TurnResult {
    const first = this.#arrivals[0];
    return {
      answer: this.#answer,
      tokenIds: this.#ids,
      logProbabilities: this.#logProbabilities,
      finish: this.#finish,
      promptTokens: this.#promptTokens,
      visualTokens: this.#visualTokens,
      ...(this.#promptIds && { promptIds: this.#promptIds }),
      appended: this.#isAppended,
      policy: settings.policy,
      retention: settings.retention,
      scope: settings.scope,
      layers: this.#layers,
      kvBytes: this.#kvBytes,
      ms: {
        ...this.#ms,
        firstToken: first === undefined ? 0 : first - this.#started,
        decodePerToken: perToken(this.#arrivals),
      },
      images: this.#images,
      notices: [...this.#notices.values()],
      notes: this.#notes,
      ...(this.explains && { explanation: this.#explanation() }),
    };
  }

  #explanation(): Explanation {
    return {
      ...(this.#importance && { importance: this.#importance }),
      ...(this.#attention && { attention: this.#attention }),
    };
  }
}

function sumOf(ms: Readonly<StageMs>): number {
  return Object.values(ms).reduce((sum, each) => sum + each, 0);
}
