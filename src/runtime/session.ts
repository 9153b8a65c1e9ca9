import { planFor } from "@/compression/plan";
import type { DecodeRule, KeepPlan, TapSpec, Taps } from "@/compression/types";
import type { FeatureSlice } from "@/gpu/kernels/embed";
import { compact } from "@/model/compaction";
import { promptIds } from "@/model/decoder";
import { Eviction } from "@/model/eviction";
import { generate } from "@/model/generation";
import type { KvCache, RowCounts } from "@/model/kvCache";
import type { PromptTile } from "@/model/prompt";
import type { TapPrompt } from "@/model/tapGeometry";
import { TapRecorder } from "@/model/taps";
import { TextStream } from "@/model/textStream";
import type {
  AskRequest,
  CacheSettings,
  EngineEvent,
  PlanPreview,
  Stage,
  TurnResult,
} from "@/protocol/engine";
import { coveredTokens, type Seen } from "./continuation";
import { type Domain, domainOf, planInput, tapsWithin } from "./domain";
import { isAbort, isOutOfMemory } from "./failures";
import type { LoadedModel } from "./loadedModel";
import type { MemoryReporter } from "./memoryReporter";
import { Pictures } from "./pictures";
import { previewPlan, type Recorded } from "./preview";
import { Progress } from "./progress";
import { fullKvBytes, layerReports } from "./report";
import { bad } from "./request";
import { type PreparedTurn, prepareTurn } from "./turn";

export interface SessionIo {
  readonly emit: (event: EngineEvent) => void;
  /** Throws what the device has reported since the last check. */
  readonly check: () => void;
  readonly reporter: MemoryReporter;
}

/** A prefill that is done: the rows it added and what stood before them. */
interface Prefilled {
  readonly cache: KvCache;
  readonly domain: Domain;
  readonly before: RowCounts;
  readonly taps: Taps;
}

/** A policy's decision about a prefill: which rows stay, and what goes while decoding. */
interface Decision {
  readonly plan: KeepPlan;
  readonly rule: DecodeRule | undefined;
}

/**
 * One conversation with one model: pictures, cache, and the way from a question to its answer.
 *
 * The stages stand in `#answer` in their order. What is held between questions is the compacted
 * cache with the tokens that it has seen, the pictures' features, and the last prompt's attention
 * for previews; a full cache is never kept beside a compacted one.
 */
export class Session {
  readonly #model: LoadedModel;
  readonly #io: SessionIo;
  readonly #pictures: Pictures | undefined;
  #cache: KvCache | undefined;
  /** What `#cache` has seen. */
  #held: Seen | undefined;
  #recorded: Recorded | undefined;

  constructor(model: LoadedModel, io: SessionIo) {
    this.#model = model;
    this.#io = io;
    const { gpu, sight } = model;
    this.#pictures = sight && new Pictures(gpu, sight.processor, sight.encoder);
  }

  /**
   * Answers the last turn. A stop resolves with what there is, and so does memory that runs out once
   * an answer has begun; anything else that fails frees the cache and leaves nothing half done.
   */
  async ask(request: AskRequest, signal: AbortSignal): Promise<TurnResult> {
    const progress = new Progress();
    try {
      await this.#answer(request, progress, signal);
    } catch (error) {
      const isStopped = isAbort(error);
      if (!isStopped && !(isOutOfMemory(error) && progress.ids.length > 0)) throw error;
      progress.finish = isStopped ? "cancelled" : "memory";
    }
    this.#close(progress);
    return progress.result(request);
  }

  /** What `settings` would keep of the last prompt. @throws EngineError, PolicyError */
  preview(settings: CacheSettings): PlanPreview {
    if (!this.#recorded) throw bad("There is no prompt yet to preview.");
    const { shape, info } = this.#model;
    const rowBytes = info.bytesPerRow / (shape.layers * shape.kvHeads);
    return previewPlan(this.#recorded, shape, rowBytes, settings);
  }

  /** Frees the conversation; the weights stay. */
  clear(): void {
    this.#drop();
    this.#pictures?.clear();
    this.#io.reporter.tell();
  }

  async #answer(request: AskRequest, progress: Progress, signal: AbortSignal): Promise<void> {
    this.#stage("vision", 0, 1);
    const turn = await progress.time("vision", () =>
      prepareTurn(request, this.#model, this.#pictures, signal),
    );
    progress.images = turn.layouts;
    progress.notices = turn.notices;
    const start = request.fresh ? 0 : coveredTokens(this.#held, turn.seen);
    const features = await progress.time("vision", () => this.#encode(turn, start, signal));

    try {
      const prefilled = await this.#prefill(turn, start, features, progress, signal);
      const { plan, rule } = await this.#decide(turn, prefilled, progress);
      await this.#compact(prefilled, plan, progress);
      await this.#decode(turn, prefilled, rule, progress, signal);
    } catch (error) {
      if (!isAbort(error)) this.#drop();
      throw error;
    }
  }

  /** Features of the pictures that this prefill will read, in prompt order. */
  async #encode(turn: PreparedTurn, start: number, signal: AbortSignal): Promise<FeatureSlice[]> {
    const { tiles } = turn.prompt;
    const pictures = turn.tilePictures.filter((_, i) => {
      const { tile, start: at } = tiles[i] as PromptTile;
      return tile === 0 && at >= start;
    });
    const slices: FeatureSlice[] = [];
    let firstRow = 0;
    for (const [i, picture] of pictures.entries()) {
      const { buffer, tiles, rowsPerTile } = await (this.#pictures as Pictures).features(picture);
      signal.throwIfAborted();
      this.#io.check();
      const rows = tiles * rowsPerTile;
      slices.push({ features: buffer, firstRow, rows });
      firstRow += rows;
      this.#stage("vision", i + 1, pictures.length);
    }
    return slices;
  }

  async #prefill(
    turn: PreparedTurn,
    start: number,
    features: readonly FeatureSlice[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Prefilled> {
    const { gpu, decoder, sight } = this.#model;
    if (start === 0) this.#drop();
    gpu.memory.resetPeak();
    this.#cache ??= decoder.createCache();
    const cache = this.#cache;
    const before = cache.rowCounts();
    const domain = domainOf(turn.prompt, start);
    progress.isAppended = start > 0;
    progress.promptTokens = domain.rows;
    progress.visualTokens = domain.visual.reduce((sum, span) => sum + span.end - span.start, 0);

    const recorder = await TapRecorder.create(gpu, {
      cache,
      heads: decoder.config.heads,
      lanes: this.#model.variants.lanes,
      ...tapsOf(turn, domain),
    });
    const ids = promptIds(turn.prompt.ids.slice(start), sight?.imageTokenId ?? -1);
    const onProgress = (done: number, total: number) => this.#stage("prefill", done, total);
    try {
      onProgress(0, ids.length);
      await progress.time("prefill", () =>
        decoder.prefill({ cache, ids, features, hook: recorder, signal, onProgress }),
      );
      this.#io.check();
    } catch (error) {
      recorder.destroy();
      if (start === 0) this.#drop();
      throw error;
    }
    this.#held = turn.seen;
    progress.kvBytes.before = cache.bytes;
    this.#mark("prefill");
    this.#stage("score", 0, 1);
    const taps = await progress.time("score", () => recorder.finish());
    progress.notices = [...progress.notices, ...recorder.notices];
    return { cache, domain, before, taps };
  }

  #decide(turn: PreparedTurn, prefilled: Prefilled, progress: Progress): Promise<Decision> {
    const { settings, policy, options, request } = turn;
    const { domain, taps, before } = prefilled;
    const { seed } = request.sampling;
    const { scope, retention } = settings;
    this.#recorded = { domain, taps, before, seed, scope, spec: tapsOf(turn, domain).spec };
    this.#stage("plan", 0, 1);
    return progress.time("plan", () => {
      const input = planInput(domain, this.#model.shape, settings, taps, seed);
      const plan = planFor(policy, input, options);
      // Rules that hold a share while decoding count the text too: in scope `visual` it stays.
      const isHeld = scope === "prompt" && retention < 1;
      return { plan, rule: isHeld ? policy.decode?.(input, plan, options) : undefined };
    });
  }

  async #compact({ cache, before }: Prefilled, plan: KeepPlan, progress: Progress): Promise<void> {
    const rowsBefore = cache.rowCounts();
    this.#stage("compact", 0, 1);
    await progress.time("compact", async () => {
      await compact(cache, plan, before);
      await this.#model.gpu.device.queue.onSubmittedWorkDone();
    });
    this.#io.check();
    progress.kvBytes.after = cache.bytes;
    progress.layers = layerReports(cache, rowsBefore);
    progress.notes = plan.notes ?? {};
    this.#mark("compact");
    this.#io.emit({ type: "compacted", layers: progress.layers, images: progress.images });
  }

  async #decode(
    turn: PreparedTurn,
    prefilled: Prefilled,
    rule: DecodeRule | undefined,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    const { decoder, tokenizer, stopIds } = this.#model;
    const { cache } = prefilled;
    const { maxNewTokens, ...sampling } = turn.request.sampling;
    const hook = rule && (await this.#evict(prefilled, rule));
    const text = new TextStream(tokenizer);
    const steps = generate(decoder, { cache, sampling, maxNewTokens, stopIds, signal, hook });
    this.#stage("decode", 0, maxNewTokens);
    try {
      let step = await steps.next();
      for (; !step.done; step = await steps.next()) {
        this.#io.check();
        const { id } = step.value;
        const ms = progress.arrive(id);
        const index = progress.ids.length - 1;
        const delta = stopIds.includes(id) ? "" : text.push(id);
        this.#io.emit({ type: "token", index, id, text: delta, ms });
        this.#io.reporter.fullKv = fullKvBytes(cache);
      }
      progress.finish = step.value;
    } finally {
      await steps.return("cancelled");
      await hook?.finish();
      progress.answer = text.text.trimEnd();
      this.#held = { ...turn.seen, ids: [...turn.seen.ids, ...progress.ids] };
      cache.trim();
    }
  }

  #evict({ cache, domain, before, taps }: Prefilled, rule: DecodeRule): Promise<Eviction> {
    return Eviction.create({
      cache,
      heads: this.#model.decoder.config.heads,
      rule,
      start: before,
      seenBefore: domain.start,
      ...(taps.columnSum ? { sums: taps.columnSum } : {}),
    });
  }

  /** What there is to say at the end of any turn, whatever ended it. */
  #close(progress: Progress): void {
    const { kvBytes } = progress;
    const cache = this.#cache;
    kvBytes.peak = this.#model.gpu.memory.peak("kv");
    kvBytes.end = cache?.bytes ?? 0;
    kvBytes.full = cache ? fullKvBytes(cache) : 0;
    this.#mark("end");
  }

  /** Frees the cache and all that is known of it. */
  #drop(): void {
    this.#cache?.destroy();
    this.#cache = undefined;
    this.#held = undefined;
    this.#recorded = undefined;
    this.#io.reporter.fullKv = 0;
  }

  #stage(stage: Stage, done: number, total: number): void {
    this.#io.emit({ type: "stage", stage, done, total });
  }

  #mark(mark: "prefill" | "compact" | "end"): void {
    const { reporter } = this.#io;
    if (this.#cache) reporter.fullKv = fullKvBytes(this.#cache);
    reporter.mark(mark);
  }
}

/** What the prefill must record for a turn's policy, and on which rows. */
function tapsOf(
  { policy, options, settings }: PreparedTurn,
  domain: Domain,
): { readonly spec: TapSpec; readonly prompt: TapPrompt } {
  const { rows, visual, textStart } = domain;
  const hasCandidates = settings.scope === "prompt" || visual.length > 0;
  const spec = hasCandidates ? tapsWithin(policy.taps(options), domain) : {};
  const prompt = { rows, visual, textStart };
  if (settings.scope === "visual") return { spec, prompt };
  // Votes are cast on the candidates: in scope `prompt`, on every row before the text.
  const keys = Uint8Array.from({ length: rows }, (_, row) => (row < textStart ? 1 : 0));
  return { spec, prompt: { ...prompt, keys } };
}
