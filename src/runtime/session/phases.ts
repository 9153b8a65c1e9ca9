import { planFor } from "@/compression/plan";
import type { DecodeRule, KeepPlan, VisionTaps } from "@/compression/types";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { Pool } from "@/gpu/memory";
import { promptIds } from "@/model/decoder/decoder";
import { generate } from "@/model/decoder/generation";
import { type AttentionHook, joinHooks } from "@/model/decoder/hooks";
import { Eviction } from "@/model/eviction/eviction";
import type { KvCache } from "@/model/kv/cache";
import { compact, gatherFork } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import type { ImageTile, PromptTile } from "@/model/prompt/prompt";
import { TextStream } from "@/model/prompt/textStream";
import type { Phase } from "@/protocol/engine";
import {
  AnswerAttentionRecorder,
  firstAttentionOf,
  policyImportance,
  visualPositions,
  withLastRow,
} from "../report/explanation";
import { fullKvBytes, layerReports, withRowsEnd } from "../report/report";
import { recordTaps, type TapRequest, tapsOf } from "../report/tapRecording";
import { type PrefillSpan, planInput, prefillSpan, visualRowsOf } from "../request/prefillSpan";
import type { PreparedTurn } from "../request/turn";
import type { ConversationImages, EncodedImage, SeenImage, VisionNeeds } from "./images";
import type { Decision, Job, PhaseIo, Prefilled, Segment } from "./job";
import type { LoadedModel } from "./loadedModel";
import type { Recorded } from "./preview";
import {
  type EncodedSegment,
  keptRowsOf,
  plannedFeatures,
  readVisionTaps,
  startsIn,
} from "./pruning";

/** The tiles in a segment, counted from its start. */
function tilesOf({ prompt, tileImages }: PreparedTurn, { start: first, end }: Segment) {
  return prompt.tiles.flatMap(({ start, count, tile }, i) => {
    if (start < first || start >= end) return [];
    const { geometry } = tileImages[i] as SeenImage;
    const { gridRows, gridColumns } = geometry.tiles[tile] as ImageTile;
    return [{ start: start - first, count, gridRows, gridColumns }];
  });
}

/** A decision before the prefill, and what it was made by. */
export interface Choice extends Decision {
  readonly vision: VisionTaps;
}

export interface PrefillOptions {
  readonly requests?: readonly TapRequest[];
  readonly plan?: KeepPlan | undefined;
}

interface AppendArgs {
  readonly encoded: EncodedSegment;
  readonly span: PrefillSpan;
  readonly plan: KeepPlan | undefined;
  readonly hook: AttentionHook;
}

/** The phases of an answer. They hold no state between questions. */
export class Phases {
  readonly #model: LoadedModel;
  readonly #images: ConversationImages | undefined;
  readonly #io: PhaseIo;

  constructor(model: LoadedModel, images: ConversationImages | undefined, io: PhaseIo) {
    this.#model = model;
    this.#images = images;
    this.#io = io;
  }

  /** Encodes the images in a segment. @param needs what policies ask of them */
  encode(
    { turn, progress, signal }: Job,
    segment: Segment,
    needs: VisionNeeds = turn.policy.beforePrefill ?? [],
  ): Promise<EncodedSegment> {
    const shown = turn.tileImages.filter((_, i) => {
      const tile = turn.prompt.tiles[i] as PromptTile;
      return tile.tile === 0 && startsIn(tile, segment);
    });
    return progress.time("vision", async () => {
      const features: FeatureSlice[] = [];
      const images: EncodedImage[] = [];
      let firstRow = 0;
      for (const [i, image] of shown.entries()) {
        const encoded = await (this.#images as ConversationImages).features(image, needs);
        signal.throwIfAborted();
        this.#io.check();
        const { rows, buffer, deepstack = [] } = encoded;
        features.push({ features: buffer, deepstack, firstRow, rows });
        images.push(encoded);
        firstRow += rows;
        this.tell("vision", i + 1, shown.length);
      }
      return { images, features };
    });
  }

  /** The decision of a policy that chooses before the prefill, and what it chose by. */
  async choose(job: Job, segment: Segment, encoded: EncodedSegment): Promise<Choice> {
    const { turn, progress } = job;
    const needs = turn.policy.beforePrefill ?? [];
    const vision = await progress.time("score", () =>
      readVisionTaps(this.#model.gpu, turn, segment, encoded, needs),
    );
    const span = prefillSpan(turn.prompt, segment);
    return { ...(await this.decide(job, { span, taps: {}, vision })), vision };
  }

  /**
   * Appends a segment to a cache and records the taps of its policy, or `requests` for several
   * policies. If stopped, it removes the segment.
   * @param plan of a policy that chooses before the prefill: only its rows are computed
   */
  async prefill(
    job: Job,
    cache: KvCache,
    segment: Segment,
    encoded: EncodedSegment,
    { requests, plan }: PrefillOptions = {},
  ): Promise<Prefilled> {
    const { turn, progress } = job;
    const before = cache.rowCounts();
    const whole = prefillSpan(turn.prompt, segment);
    const span = plan ? { ...whole, kept: keptRowsOf(plan) } : whole;
    progress.prefilling(span);
    const explains = progress.explains && segment.end === turn.prompt.ids.length;
    const watched = explains ? visualPositions(turn.prompt) : [];
    const wanted = requests ?? [tapsOf(turn, span)];
    const asked = watched.length > 0 ? withLastRow(wanted, span, watched) : wanted;
    const hook = await recordTaps(this.#model, cache, asked);
    try {
      await this.#append(job, cache, segment, { encoded, span, plan, hook });
    } catch (error) {
      hook.destroy();
      throw error;
    }
    progress.prefilled(cache.bytes);
    this.mark("prefill", cache);
    this.tell("score", 0, 1);
    const recorded = await progress.time("score", () => hook.finish());
    progress.notice(...hook.notices);
    const firstAttention =
      watched.length > 0 ? firstAttentionOf(cache, before, span, recorded, watched) : undefined;
    return { cache, span, before, taps: recorded[0] ?? {}, recorded, firstAttention };
  }

  async #append(
    { turn, progress, signal }: Job,
    cache: KvCache,
    segment: Segment,
    { encoded, span, plan, hook }: AppendArgs,
  ): Promise<void> {
    const { decoder, gpu } = this.#model;
    const tiles = tilesOf(turn, segment);
    const ids = promptIds(turn.prompt.ids.slice(segment.start, segment.end), tiles);
    const visual = visualRowsOf(span);
    const { hidden } = decoder.config;
    const { kept } = span;
    const onProgress = (done: number, total: number) => this.tell("prefill", done, total);
    const made: GPUBuffer[] = [];
    try {
      const planned = await progress.time("vision", async () => {
        return plan && plannedFeatures(gpu, plan, visual, encoded, hidden, made);
      });
      const features = planned ?? encoded.features;
      onProgress(0, kept?.length ?? ids.length);
      await progress.time("prefill", () =>
        decoder.prefill({ cache, ids, kept, features, grids: tiles, hook, signal, onProgress }),
      );
      this.#io.check();
    } finally {
      for (const buffer of made) gpu.memory.destroy(buffer);
    }
  }

  decide(
    { turn, progress }: Job,
    { span, taps, vision }: Pick<Prefilled, "span" | "taps" | "vision">,
  ): Promise<Decision> {
    const { settings, policy, options, request } = turn;
    const { scope, retention } = settings;
    this.tell("plan", 0, 1);
    return progress.time("plan", () => {
      const { seed } = request.sampling;
      const input = planInput(span, this.#model.shape, settings, taps, seed, vision);
      const plan = planFor(policy, input, options);
      if (progress.explains) progress.planned(policyImportance(plan.scores, span));
      // Rules that keep a share while decoding also count text rows; in scope `visual` text is
      // kept, so no rule runs.
      const isHeld = scope === "prompt" && retention < 1;
      return { plan, rule: isHeld ? policy.decode?.(input, plan, options) : undefined };
    });
  }

  /** Reports a prefill that has computed only the rows of its plan. */
  pruned(job: Job, { cache, before, span }: Prefilled, plan: KeepPlan): void {
    const full = before.map((heads) => heads.map((rows) => rows + span.rows));
    this.#report(job, cache, full, plan);
  }

  /** @param rowsBefore what the report compares with, if earlier rows of the turn are gone */
  async compact(
    job: Job,
    { cache, before }: Prefilled,
    plan: KeepPlan,
    rowsBefore: RowCounts = cache.rowCounts(),
  ): Promise<void> {
    await this.#compacting(job, () => compact(cache, plan, before));
    this.#report(job, cache, rowsBefore, plan);
  }

  /**
   * A new cache with the rows that a plan keeps; the rows of `prefilled` do not change.
   * @param source pool that counts the uncompressed rows from then on
   */
  async fork(
    job: Job,
    { cache, before }: Prefilled,
    plan: KeepPlan,
    source: Pool = "kv",
  ): Promise<KvCache> {
    const rowsBefore = cache.rowCounts();
    let gathered: KvCache | undefined;
    const gather = async () => {
      gathered = await gatherFork(cache, plan, before, source);
      return gathered;
    };
    const fork = await this.#compacting(job, gather).catch((error: unknown) => {
      gathered?.destroy();
      throw error;
    });
    cache.countIn(source);
    fork.countIn("kv");
    this.#report(job, fork, rowsBefore, plan);
    return fork;
  }

  async #compacting<T>({ progress }: Job, work: () => Promise<T>): Promise<T> {
    this.tell("compact", 0, 1);
    const done = await progress.time("compact", async () => {
      const result = await work();
      await this.#model.gpu.device.queue.onSubmittedWorkDone();
      return result;
    });
    this.#io.check();
    return done;
  }

  #report({ progress }: Job, cache: KvCache, rowsBefore: RowCounts, plan: KeepPlan): void {
    const layers = layerReports(cache, rowsBefore);
    progress.compacted(cache.bytes, layers, plan.notes);
    progress.notice(...(plan.notices ?? []));
    this.mark("compact", cache);
    this.#io.emit({ type: "compacted", layers, images: progress.images });
  }

  /**
   * Generates until a stop token, `maxNewTokens` or a cancellation; every emitted token has its row
   * in the cache.
   */
  async decode(
    { turn, progress, signal }: Job,
    prefilled: Prefilled,
    rule: DecodeRule | undefined,
    maxNewTokens: number,
  ): Promise<void> {
    const { decoder, tokenizer, stopIds, vision } = this.#model;
    const excludedId = vision?.markup.imageTokenId;
    const { cache } = prefilled;
    const { maxNewTokens: _, ...sampling } = turn.request.sampling;
    const eviction = rule && (await this.#evict(prefilled, rule));
    const recorder = await this.#recordAttention(prefilled, eviction, maxNewTokens);
    const hook = joinHooks([eviction, recorder?.hook].filter((each) => each !== undefined));
    const text = new TextStream(tokenizer);
    const limits = { maxNewTokens, stopIds, excludedId };
    const steps = generate(decoder, { cache, sampling, ...limits, signal, hook });
    this.tell("decode", 0, maxNewTokens);
    try {
      let step = await steps.next();
      for (; !step.done; step = await steps.next()) {
        this.#io.check();
        const { id } = step.value;
        const ms = progress.arrive(step.value);
        const index = progress.ids.length - 1;
        const delta = stopIds.includes(id) ? "" : text.push(id);
        recorder?.arrive(text.text.length);
        this.#io.reporter.fullKv = fullKvBytes(cache);
        this.#io.emit({ type: "token", index, id, text: delta, ms });
      }
      progress.finish(step.value);
    } finally {
      await steps.return("cancelled");
      await eviction?.finish();
      cache.trim();
      const answer = text.text.trimEnd();
      progress.answered(answer, withRowsEnd(progress.layers, cache));
      progress.attended(await recorder?.finish(answer.length));
    }
  }

  tell(phase: Phase, done: number, total: number): void {
    this.#io.emit({ type: "stage", stage: phase, done, total });
  }

  mark(mark: "prefill" | "compact" | "end", cache: KvCache | undefined): void {
    const { reporter } = this.#io;
    reporter.fullKv = cache ? fullKvBytes(cache) : 0;
    reporter.mark(mark);
  }

  /** Records the answer's attention, if an explanation was requested. */
  async #recordAttention(
    { cache, firstAttention }: Prefilled,
    eviction: Eviction | undefined,
    maxNewTokens: number,
  ): Promise<AnswerAttentionRecorder | undefined> {
    const { heads } = this.#model.decoder.config;
    const slots = eviction?.slots;
    return (
      firstAttention &&
      AnswerAttentionRecorder.create({ cache, heads, firstAttention, maxNewTokens, slots })
    );
  }

  #evict(
    { cache, span, before, taps, firstAttention }: Prefilled,
    rule: DecodeRule,
  ): Promise<Eviction> {
    return Eviction.create({
      cache,
      heads: this.#model.decoder.config.heads,
      rule,
      start: before,
      seenBefore: span.start,
      tracksSlots: firstAttention !== undefined,
      ...(taps.columnSum ? { sums: taps.columnSum } : {}),
    });
  }
}

/** The data of a prefill that previews of other settings need. */
export function recordedOf({ turn }: Job, { span, taps, before, vision }: Prefilled): Recorded {
  const { scope } = turn.settings;
  const { seed } = turn.request.sampling;
  return { span, taps, before, seed, scope, vision, spec: tapsOf(turn, span).spec };
}
