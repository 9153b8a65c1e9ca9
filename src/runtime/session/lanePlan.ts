import { EngineError } from "@/protocol/failure";
import type { LaneOutcome } from "@/protocol/result";
import { asEngineError, isAbort } from "../failures";
import { cacheBytes, comparisonPeakBytes, rowsAfter } from "../request/cacheBytes";
import { type KvCeiling, kvCeiling } from "../request/ceiling";
import { chooseBeforePrefill, decide } from "../stages/decide";
import type { Job, Prefilled } from "../stages/job";
import type { LaneInput, PlannedLane } from "./lane";
import { groupLanes } from "./lanesTogether";

/**
 * Plans every lane, fails lanes that do not fit together with the others, and writes the peak
 * bytes of the rest into their notes, before any of them allocates.
 * @param outcomes by lane; takes those of the lanes that fail
 * @param isTogether whether lanes shall decode together
 */
export async function planLanes(
  lanes: readonly Pick<PlannedLane, "job" | "prefilled">[],
  input: LaneInput,
  outcomes: LaneOutcome[],
  isTogether: boolean | undefined,
): Promise<readonly PlannedLane[]> {
  const [first] = lanes as [Pick<PlannedLane, "job" | "prefilled">];
  const { model, turn } = first.job;
  const { cache } = first.prefilled;
  const { rowBytes } = cache;
  const planned: PlannedLane[] = [];
  let bytes = model.gpu.memory.bytes.kv;
  for (const [index, { job, prefilled }] of lanes.entries()) {
    try {
      const lane = await planLane(index, job, prefilled, input);
      const added = cacheBytes(lane.rows, rowBytes);
      checkLaneFits(kvCeiling(job.turn.settings, model.gpu.memory), bytes + added);
      planned.push(lane);
      bytes += added;
    } catch (error) {
      if (isAbort(error)) throw error;
      outcomes[index] = { failure: asEngineError(error).failure };
    }
  }
  const plannedPeakBytes = comparisonPeakBytes({
    fullBytes: cache.bytes,
    lanes: planned.map((lane) => lane.rows),
    newTokens: turn.request.sampling.maxNewTokens,
    rowBytes,
    groups: groupLanes(model, planned, isTogether),
  });
  return planned.map((lane) => {
    const plan = { ...lane.plan, notes: { ...lane.plan.notes, plannedPeakBytes } };
    return { ...lane, plan };
  });
}

async function planLane(
  index: number,
  job: Job,
  prefilled: Prefilled,
  input: LaneInput,
): Promise<PlannedLane> {
  const { before } = prefilled;
  if (job.turn.policy.beforePrefill) {
    const { vision, ...decision } = await chooseBeforePrefill(job, input.segment, input.encoded);
    const rows = rowsAfter(decision.plan, before);
    return { index, job, ...decision, prefilled: { ...prefilled, vision }, input, rows };
  }
  const decision = await decide(job, prefilled);
  return { index, job, ...decision, prefilled, rows: rowsAfter(decision.plan, before) };
}

/** @throws EngineError if all lanes up to this one and the full cache do not fit under the ceiling */
function checkLaneFits({ bytes: most, isCap }: KvCeiling, bytes: number): void {
  if (bytes <= most) return;
  const [needed, room] = [bytes, most].map((value) => (value / 1e6).toFixed(2));
  const message = `This lane does not fit together with the others: ${needed} MB of ${room} MB.`;
  const code = isCap ? "capTooSmall" : "outOfMemory";
  const neededMb = Math.ceil(bytes / 1e4) / 100;
  const reason = { kind: "lane", neededMb, roomMb: Math.floor(most / 1e4) / 100 } as const;
  const rest = { message, reason, action: "keepLess" } as const;
  throw new EngineError({ code, ...rest, ...(isCap ? { neededMb } : {}) });
}
