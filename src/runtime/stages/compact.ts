import type { KeepPlan } from "@/compression/types";
import type { Pool } from "@/gpu/memory";
import type { KvCache } from "@/model/kv/cache";
import { compact, gatherFork } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import { layerReports } from "../report/report";
import { type Job, markMemory, type Prefilled, tellStage } from "./job";

/**
 * Drops the rows of a prefill that its plan does not keep.
 * @param rowsBefore what the report compares with, if earlier rows of the turn are gone
 */
export async function compactInPlace(
  job: Job,
  { cache, before }: Prefilled,
  plan: KeepPlan,
  rowsBefore: RowCounts = cache.rowCounts(),
): Promise<void> {
  await timed(job, () => compact(cache, plan, before));
  report(job, cache, rowsBefore, plan);
}

/**
 * A new cache with the rows that a plan keeps; the rows of `prefilled` do not change.
 * @param source pool that counts the uncompressed rows from then on
 */
export async function compactToFork(
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
  const fork = await timed(job, gather).catch((error: unknown) => {
    gathered?.destroy();
    throw error;
  });
  cache.countIn(source);
  fork.countIn("kv");
  report(job, fork, rowsBefore, plan);
  return fork;
}

/** Reports a prefill that has computed only the rows of its plan. */
export function reportPruned(job: Job, { cache, before, span }: Prefilled, plan: KeepPlan): void {
  const full = before.map((heads) => heads.map((rows) => rows + span.rows));
  report(job, cache, full, plan);
}

async function timed<T>(job: Job, work: () => Promise<T>): Promise<T> {
  tellStage(job, "compact", 0, 1);
  const done = await job.progress.time("compact", async () => {
    const result = await work();
    await job.model.gpu.device.queue.onSubmittedWorkDone();
    return result;
  });
  job.io.check();
  return done;
}

function report(job: Job, cache: KvCache, rowsBefore: RowCounts, plan: KeepPlan): void {
  const { progress, io } = job;
  const layers = layerReports(cache, rowsBefore);
  progress.compacted(cache.bytes, layers, plan.notes);
  progress.notice(...(plan.notices ?? []));
  markMemory(job, "compact", cache);
  io.emit({ type: "compacted", layers, images: progress.images });
}
