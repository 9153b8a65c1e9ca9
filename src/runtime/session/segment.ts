import type { KvCache } from "@/model/kv/cache";
import { compactInPlace, reportPruned } from "../stages/compact";
import { type Choice, chooseBeforePrefill, decide } from "../stages/decide";
import { decodeAnswer } from "../stages/decode";
import { encodeImages } from "../stages/encode";
import type { Decision, Job, Prefilled, Segment } from "../stages/job";
import { prefillSegment } from "../stages/prefill";
import { keptRowsOf } from "../stages/pruning";
import { type ConversationCache, recordedOf } from "./conversationCache";
import { leastRows } from "./earlierRows";
import type { EncodedSegment } from "./images";
import { needsPieces, prefillInPieces } from "./pieces";
import type { ReferenceLane } from "./reference";
import { dropHistory, shrinkEarlierImages, shrinkHistory } from "./shrinkHistory";

/** A segment, and whose cache it is appended to. */
interface SegmentInput {
  readonly owner: ConversationCache;
  readonly segment: Segment;
  /** Tokens of the answer, at most; 0: another segment follows. */
  readonly newTokens: number;
  readonly reference: ReferenceLane | undefined;
}

/** A segment on its way through the stages. */
interface SegmentRun extends SegmentInput {
  readonly cache: KvCache;
  readonly encoded: EncodedSegment;
}

/** A segment in the cache, rows dropped. */
interface Advanced {
  readonly prefilled: Prefilled;
  readonly rule: Decision["rule"];
}

/** Runs one segment through all stages; with `newTokens`, the answer is decoded. */
export async function runSegment(job: Job, input: SegmentInput): Promise<void> {
  const { owner, segment, newTokens, reference } = input;
  const encoded = await encodeImages(job, segment);
  const chosen =
    job.turn.policy.beforePrefill && (await chooseBeforePrefill(job, segment, encoded));
  const cache = await owner.begin(job, segment);
  const run = { ...input, cache, encoded };
  try {
    if (!chosen && needsPieces(job, segment, leastRows(job.turn, cache), cache.rowBytes)) {
      reference?.refuse(job);
      return await runInPieces(job, run);
    }
    if (newTokens > 0) await shrinkEarlierImages(job, cache, segment);
    const added = chosen && keptRowsOf(chosen.plan).length;
    const roomIn = await shrinkHistory(job, { cache, segment, newTokens, added });
    const { prefilled, rule } = chosen
      ? await prefillChosen(job, run, chosen)
      : await prefillWhole(job, run);
    if (newTokens === 0) return;
    const makeRoom = roomIn?.(prefilled.cache);
    await decodeAnswer(job, { prefilled, rule, maxNewTokens: newTokens, makeRoom });
  } finally {
    owner.settle(job);
  }
}

/** For a segment that does not fit uncompressed. */
async function runInPieces(job: Job, run: SegmentRun): Promise<void> {
  const { owner, segment, cache, encoded, newTokens } = run;
  owner.replace({ recorded: undefined });
  try {
    await dropHistory(job, cache);
    const { features } = encoded;
    const input = { cache, segment, features, newTokens };
    const { prefilled, roomIn } = await prefillInPieces(job, input);
    if (newTokens === 0) return;
    const makeRoom = roomIn(prefilled.cache);
    await decodeAnswer(job, { prefilled, maxNewTokens: newTokens, makeRoom });
  } catch (error) {
    // Part of an image cannot be continued.
    if (job.progress.ids.length === 0) owner.drop();
    throw error;
  }
}

/** Prefills every row of a segment, then drops those that the policy does not keep. */
async function prefillWhole(job: Job, run: SegmentRun): Promise<Advanced> {
  const { owner, segment } = run;
  const prefilled = await prefillSegment(job, run);
  owner.note(job, segment.end);
  owner.replace({ recorded: recordedOf(job, prefilled) });
  const decision = await decide(job, prefilled);
  return { prefilled: await compactRun(job, run, prefilled, decision), rule: decision.rule };
}

/** Prefills the rows that were chosen by what the vision encoder gives, and no others. */
async function prefillChosen(
  job: Job,
  { owner, segment, cache, encoded, reference }: SegmentRun,
  { plan, rule, vision }: Choice,
): Promise<Advanced> {
  const filled = await prefillSegment(job, { cache, segment, encoded, plan });
  const prefilled = { ...filled, vision };
  owner.note(job, segment.end);
  owner.replace({ recorded: recordedOf(job, prefilled) });
  reportPruned(job, prefilled, plan);
  reference?.expect(job);
  return { prefilled, rule };
}

/** Compacts in place, or into a fork if a reference keeps the uncompressed rows. */
async function compactRun(
  job: Job,
  { owner, newTokens, reference }: SegmentRun,
  prefilled: Prefilled,
  decision: Decision,
): Promise<Prefilled> {
  const fork = await reference?.fork(job, prefilled, decision, newTokens);
  if (fork) {
    owner.replace({ cache: fork.cache });
    return fork;
  }
  await compactInPlace(job, prefilled, decision.plan);
  return prefilled;
}
