import type { KeepPlan } from "@/compression/types";
import { promptIds } from "@/model/decoder/decoder";
import type { AttentionHook } from "@/model/decoder/hooks";
import type { KvCache } from "@/model/kv/cache";
import type { ImageTile } from "@/model/prompt/imageMarkup";
import { firstAttentionOf, visualPositions, withLastRow } from "../report/explanation";
import { recordTaps, type TapRequest, tapsOf } from "../report/tapRecording";
import { type PrefillSpan, prefillSpan, visualRowsOf } from "../request/prefillSpan";
import type { PreparedTurn } from "../request/turn";
import type { EncodedSegment, PreparedImage } from "../session/images";
import { type Job, markMemory, type Prefilled, type Segment, tellStage } from "./job";
import { keptRowsOf, plannedFeatures } from "./pruning";

interface PrefillInput {
  readonly cache: KvCache;
  readonly segment: Segment;
  readonly encoded: EncodedSegment;
  /** Instead of the taps of the job's policy, those of several. */
  readonly requests?: readonly TapRequest[];
  /** Of a policy that chooses before the prefill: only its rows are computed. */
  readonly plan?: KeepPlan | undefined;
}

/** Appends a segment to a cache and records taps. If stopped, it removes the segment. */
export async function prefillSegment(job: Job, input: PrefillInput): Promise<Prefilled> {
  const { cache, segment, requests, plan } = input;
  const { model, turn, progress } = job;
  const before = cache.rowCounts();
  const whole = prefillSpan(turn.prompt, segment);
  const span = plan ? { ...whole, kept: keptRowsOf(plan) } : whole;
  progress.prefilling(span);
  const explains = progress.explains && segment.end === turn.prompt.ids.length;
  const watched = explains ? visualPositions(turn.prompt) : [];
  const wanted = requests ?? [tapsOf(turn, span)];
  const asked = watched.length > 0 ? withLastRow(wanted, span, watched) : wanted;
  const hook = await recordTaps(model, cache, asked);
  try {
    await append(job, { ...input, span, hook });
  } catch (error) {
    hook.destroy();
    throw error;
  }
  progress.prefilled(cache.bytes);
  markMemory(job, "prefill", cache);
  tellStage(job, "score", 0, 1);
  const recorded = await progress.time("score", () => hook.finish());
  progress.notice(...hook.notices);
  const filled = { cache, span, before, taps: recorded[0] ?? {}, recorded };
  return watched.length > 0
    ? { ...filled, firstAttention: firstAttentionOf(filled, watched) }
    : filled;
}

interface AppendArgs extends PrefillInput {
  readonly span: PrefillSpan;
  readonly hook: AttentionHook;
}

async function append(
  job: Job,
  { cache, segment, encoded, plan, span, hook }: AppendArgs,
): Promise<void> {
  const { turn, progress, signal, io } = job;
  const { decoder, gpu } = job.model;
  const tiles = tilesOf(turn, segment);
  const ids = promptIds(turn.prompt.ids.slice(segment.start, segment.end), tiles);
  const visual = visualRowsOf(span);
  const { hidden } = decoder.config;
  const { kept } = span;
  const onProgress = (done: number, total: number) => tellStage(job, "prefill", done, total);
  const made: GPUBuffer[] = [];
  try {
    const planned = await progress.time("vision", async () => {
      return plan && plannedFeatures({ gpu, plan, visual, width: hidden, made }, encoded);
    });
    const features = planned ?? encoded.features;
    onProgress(0, kept?.length ?? ids.length);
    await progress.time("prefill", () =>
      decoder.prefill({ cache, ids, kept, features, grids: tiles, hook, signal, onProgress }),
    );
    io.check();
  } finally {
    for (const buffer of made) gpu.memory.destroy(buffer);
  }
}

/** The tiles in a segment, counted from its start. */
export function tilesOf({ prompt, tileImages }: PreparedTurn, { start: first, end }: Segment) {
  return prompt.tiles.flatMap(({ start, count, tile }, i) => {
    if (start < first || start >= end) return [];
    const { geometry } = tileImages[i] as PreparedImage;
    const { gridRows, gridColumns } = geometry.tiles[tile] as ImageTile;
    const grid = { start: start - first, count, gridRows, gridColumns };
    const { time } = geometry;
    return [time === undefined ? grid : { ...grid, time }];
  });
}
