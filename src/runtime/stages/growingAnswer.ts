import type { DecodeRule } from "@/compression/types";
import type { Finish, GenerateArgs, GeneratedToken, MakeRoom } from "@/model/decoder/generation";
import { joinHooks } from "@/model/decoder/hooks";
import { Eviction } from "@/model/eviction/eviction";
import type { KvCache } from "@/model/kv/cache";
import { TextStream } from "@/model/prompt/textStream";
import { AnswerAttentionRecorder } from "../report/explanation";
import { fullKvBytes, withKeptEnd, withRowsEnd } from "../report/report";
import { type Job, type Prefilled, tellStage } from "./job";

/** A question in the cache, and the limits of its answer. */
export interface AnswerInput {
  readonly prefilled: Prefilled;
  /** Evicts rows while the answer is decoded. */
  readonly rule?: DecodeRule | undefined;
  readonly maxNewTokens: number;
  /** Default: the cache may grow by all tokens. */
  readonly makeRoom?: MakeRoom | undefined;
}

/** An answer while its tokens arrive; every one has its row in the cache. */
export class GrowingAnswer {
  /** What its tokens are generated with. */
  readonly args: GenerateArgs;
  readonly #job: Job;
  readonly #eviction: Eviction | undefined;
  readonly #recorder: AnswerAttentionRecorder | undefined;
  readonly #text: TextStream;

  private constructor(
    job: Job,
    args: Omit<GenerateArgs, "hook">,
    eviction: Eviction | undefined,
    recorder: AnswerAttentionRecorder | undefined,
  ) {
    const hook = joinHooks([eviction, recorder?.hook].filter((each) => each !== undefined));
    this.args = { ...args, hook };
    this.#job = job;
    this.#eviction = eviction;
    this.#recorder = recorder;
    this.#text = new TextStream(job.model.tokenizer);
  }

  static async begin(job: Job, input: AnswerInput): Promise<GrowingAnswer> {
    const { model, turn, signal } = job;
    const { prefilled, rule, maxNewTokens } = input;
    const { decoder, stopIds, vision } = model;
    const { cache } = prefilled;
    const { maxNewTokens: _, ...sampling } = turn.request.sampling;
    const { heads } = decoder.config;
    const eviction = rule && (await startEviction(prefilled, heads, rule));
    try {
      const recorder = await recordAttention(prefilled, heads, eviction, maxNewTokens);
      const makeRoom = input.makeRoom && followed(input.makeRoom, cache, recorder);
      const excludedId = vision?.markup.imageTokenId;
      const args = { cache, sampling, maxNewTokens, makeRoom, stopIds, excludedId, signal };
      tellStage(job, "decode", 0, maxNewTokens);
      return new GrowingAnswer(job, args, eviction, recorder);
    } catch (error) {
      eviction?.destroy();
      throw error;
    }
  }

  arrive(token: GeneratedToken): void {
    const { model, progress, io } = this.#job;
    io.check();
    const { id } = token;
    const ms = progress.arrive(token);
    const index = progress.ids.length - 1;
    const delta = model.stopIds.includes(id) ? "" : this.#text.push(id);
    this.#recorder?.arrive(this.#text.text.length);
    io.reporter.fullKv = fullKvBytes(this.args.cache);
    io.emit({ type: "token", index, id, text: delta, ms });
  }

  /** No more tokens arrive. @param finish undefined if they ended with an error */
  async end(finish: Finish | undefined): Promise<void> {
    const { progress, turn } = this.#job;
    const { cache } = this.args;
    if (finish) progress.finish(finish);
    const answer = this.#text.text.trimEnd();
    progress.answered(answer, withRowsEnd(progress.layers, cache));
    try {
      await this.#eviction?.finish();
      progress.rested(withKeptEnd(progress.layers, cache, turn.prompt.ids.length));
      cache.trim();
      progress.attended(await this.#recorder?.read(answer.length));
    } finally {
      this.#recorder?.destroy();
    }
  }
}

/** Tells the recorder of rows that were moved to make room. */
function followed(
  makeRoom: MakeRoom,
  cache: KvCache,
  recorder: AnswerAttentionRecorder | undefined,
): MakeRoom {
  return async (wanted) => {
    const { version } = cache;
    const room = await makeRoom(wanted);
    if (cache.version !== version) recorder?.hook?.follow();
    return room;
  };
}

/** Records the answer's attention, if an explanation was requested. */
async function recordAttention(
  { cache, firstAttention }: Prefilled,
  heads: number,
  eviction: Eviction | undefined,
  maxNewTokens: number,
): Promise<AnswerAttentionRecorder | undefined> {
  const slots = eviction?.slots;
  return (
    firstAttention &&
    AnswerAttentionRecorder.create({ cache, heads, firstAttention, maxNewTokens, slots })
  );
}

function startEviction(
  { cache, span, before, taps, firstAttention }: Prefilled,
  heads: number,
  rule: DecodeRule,
): Promise<Eviction> {
  return Eviction.create({
    cache,
    heads,
    rule,
    start: before,
    seenBefore: span.start,
    tracksSlots: firstAttention !== undefined,
    ...(taps.columnSum ? { sums: taps.columnSum } : {}),
  });
}
