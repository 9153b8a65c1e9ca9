import type { Memory } from "@/gpu/memory";
import { EngineError } from "@/protocol/failure";
import type { CacheSettings } from "@/protocol/request";

/** The most bytes that the KV pool may hold: the conversation's cap, or what other pools leave. */
export interface KvCeiling {
  readonly bytes: number;
  /** Whether it is the conversation's cap. */
  readonly isCap: boolean;
}

/**
 * Of the memory that is left under a limit, what stays beside the cache while a question is answered:
 * the parameters of recorded commands, of a fixed size, and recorded attention, which grows with it.
 */
export const COMMAND_BYTES = 4 * 2 ** 20;
const SCRATCH_SHARE = 1 / 8;

/** @param memory its limit is infinite unless the model was loaded with one */
export function kvCeiling(
  { capMb = Number.POSITIVE_INFINITY }: Pick<CacheSettings, "capMb">,
  memory: Pick<Memory, "bytes" | "free">,
): KvCeiling {
  const room = Math.max(0, memory.free - COMMAND_BYTES);
  const left = memory.bytes.kv + room * (1 - SCRATCH_SHARE);
  const cap = capMb * 1e6;
  return cap <= left ? { bytes: cap, isCap: true } : { bytes: left, isCap: false };
}

/**
 * The refusal of a question whose cache exceeds a ceiling even with the fewest rows.
 * @param action what needs less: another policy than the full cache, else fewer turns
 */
export function ceilingTooLow(
  ceiling: KvCeiling,
  needed: number,
  action: "keepLess" | "newConversation" = "newConversation",
): EngineError {
  const [most, least] = [Math.floor(ceiling.bytes / 1e4) / 100, Math.ceil(needed / 1e4) / 100];
  if (ceiling.isCap) {
    const message = `A cap of ${most} MB is too small for this question: it needs ${least} MB.`;
    const reason = { kind: "cap", capMb: most, neededMb: least } as const;
    return new EngineError({ code: "capTooSmall", message, reason, action, neededMb: least });
  }
  const message = `There is not enough graphics memory for this question: its cache needs ${least} MB, and ${most} MB are free.`;
  const reason = { kind: "cacheMemory", freeMb: most, neededMb: least } as const;
  return new EngineError({ code: "outOfMemory", message, reason, action });
}
