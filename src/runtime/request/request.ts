import type { OptionValues } from "@/compression/options";
import { policyById } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import type { Policy } from "@/compression/types";
import type { PositionMode } from "@/model/kv/cache";
import { EngineError, type EngineFailure } from "@/protocol/failure";
import { KV_CHOICES, type LoadRequest, WEIGHT_TYPES } from "@/protocol/model";
import { type AskRequest, type CacheSettings, MOST_LANES, type Sampling } from "@/protocol/request";
import { shown } from "@/text/shown";

/** Validated settings. */
export interface CheckedSettings {
  readonly policy: Policy;
  /** Complete. */
  readonly options: OptionValues;
  readonly settings: CacheSettings;
}

/**
 * Validates how a model is to be held; its files are checked while they are read.
 * @throws EngineError `badRequest`
 */
export function checkLoad({ kvType, weightType, chunkRows, memoryMb }: LoadRequest): void {
  if (kvType !== undefined && !KV_CHOICES.includes(kvType)) {
    throw bad(`A KV cache is held as ${KV_CHOICES.join(", ")}, not as ${shown(kvType)}.`);
  }
  if (weightType !== undefined && !WEIGHT_TYPES.includes(weightType)) {
    throw bad(`Weights are held as ${WEIGHT_TYPES.join(", ")}, not as ${shown(weightType)}.`);
  }
  if (chunkRows !== undefined && !(Number.isInteger(chunkRows) && chunkRows > 0)) {
    throw bad(`A chunk has at least one row, not ${shown(chunkRows)}.`);
  }
  if (memoryMb !== undefined && !(memoryMb > 0)) {
    throw bad(`A memory limit of ${shown(memoryMb)} MB is not positive.`);
  }
}

/** @throws EngineError, PolicyError */
export function checkSettings(settings: CacheSettings): CheckedSettings {
  const { policy: id, retention, scope, capMb, earlierRetention = 1 } = settings;
  const policy = policyById(id);
  if (!(retention > 0 && retention <= 1)) {
    throw bad(`The retention must be above 0 and at most 1, not ${shown(retention)}.`);
  }
  if (scope !== "visual" && scope !== "prompt") throw bad(`There is no scope ${shown(scope)}.`);
  if (capMb !== undefined && !(capMb > 0))
    throw bad(`A cap of ${shown(capMb)} MB is not positive.`);
  if (!(earlierRetention > 0 && earlierRetention <= 1)) {
    throw bad(
      `The retention of earlier images must be above 0 and at most 1, not ${shown(earlierRetention)}.`,
    );
  }
  return { policy, options: resolveOptions(policy, settings.options), settings };
}

/** @throws EngineError, PolicyError */
export function checkLanes(lanes: readonly CacheSettings[]): readonly CheckedSettings[] {
  if (lanes.length < 2 || lanes.length > MOST_LANES) {
    throw bad(`Two to ${MOST_LANES} lanes can be compared, not ${lanes.length}.`);
  }
  return lanes.map(checkSettings);
}

/**
 * Validates a conversation's structure; its images are checked later.
 * @throws EngineError `badRequest`
 */
export function checkRequest(
  request: AskRequest,
  { vocabulary, seesImages }: { readonly vocabulary: number; readonly seesImages: boolean },
): void {
  const { turns, images, sampling } = request;
  const last = turns.at(-1);
  if (!last || last.question.trim() === "") throw bad("There is no question to answer.");
  for (const key of turns.flatMap((turn) => turn.images)) {
    if (!seesImages) throw bad("This model reads text only.", { reason: { kind: "textOnly" } });
    if (!(images[key] instanceof Blob))
      throw bad(`The image ${shown(key)} is missing from the request.`);
  }
  for (const [index, turn] of turns.slice(0, -1).entries()) {
    const { answerIds: ids, answerText } = turn;
    if (!ids && answerText !== undefined) continue;
    if (!ids) throw bad(`Turn ${index + 1} has no answer, and another turn follows it.`);
    const isValid = ids.every((id) => Number.isInteger(id) && id >= 0 && id < vocabulary);
    if (!isValid)
      throw bad(`The answer of turn ${index + 1} has ids that are not in the model's vocabulary.`);
  }
  for (const { seconds, duration } of Object.values(request.frames ?? {})) {
    const isTime = (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY;
    if (!isTime(seconds) || !isTime(duration)) throw bad("A frame of a video has no time.");
  }
  checkSampling(sampling);
}

function checkSampling({ maxNewTokens, temperature, topK, topP, seed }: Sampling): void {
  if (!(Number.isInteger(maxNewTokens) && maxNewTokens > 0)) {
    throw bad(`At least one new token must be allowed, not ${shown(maxNewTokens)}.`);
  }
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw bad(`The temperature must be 0 or more, not ${shown(temperature)}.`);
  }
  if (!(Number.isInteger(topK) && topK >= 0))
    throw bad(`Top-k must be 0 or more, not ${shown(topK)}.`);
  if (!(topP > 0 && topP <= 1)) {
    throw bad(`Top-p must be above 0 and at most 1, not ${shown(topP)}.`);
  }
  if (!Number.isInteger(seed)) throw bad(`The seed must be a whole number, not ${shown(seed)}.`);
}

/** `full` has no such option: it drops no row, so all three modes are equal. */
export function positionMode({ positions }: OptionValues): PositionMode {
  return (positions as PositionMode | undefined) ?? "original";
}

export function bad(message: string, rest: Partial<EngineFailure> = {}): EngineError {
  return new EngineError({ code: "badRequest", message, ...rest });
}
