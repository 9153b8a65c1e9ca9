import type { AdapterRate, ModelOutline } from "@/protocol/model";
import type { WeightChoice } from "../settings/settings";

/** What limits a model here; undefined where the browser does not tell. */
export interface Place {
  readonly rate: AdapterRate | undefined;
  /** Bytes that the browser's storage still takes. */
  readonly freeBytes: number | undefined;
  /** Bytes of the computer's memory, rounded by the browser. A software adapter uses it, too. */
  readonly deviceBytes: number | undefined;
}

/** The answer by which speed is judged: one image, or a prompt as long, and this many tokens. */
const ANSWER_TOKENS = 50;
const PROMPT_TOKENS = 1000;
/** A model whose answer takes longer is too slow here. */
export const SLOW_SECONDS = 60;
/** While a model loads, arrays and staged uploads add up to this share (`Memory.overallPeak`). */
const LOAD_SHARE = 1.15;

/**
 * Bytes of the weights in GPU memory, by how the engine can hold them.
 * @param fileBytes of the weights' files
 */
export function gpuBytes(
  fileBytes: number,
  savedBytes: ModelOutline["savedBytes"],
): Readonly<Partial<Record<WeightChoice, number>>> & { readonly file: number } {
  if (!savedBytes) return { file: fileBytes };
  const file = fileBytes - savedBytes.f16;
  return { file, q8: fileBytes - savedBytes.q8, q4: fileBytes - savedBytes.q4 };
}

/**
 * Estimated seconds of an answer: every prompt token multiplies with all weights, every answer token reads
 * them once. Weights of the file count two bytes and two operations per token each.
 * @param heldBytes of the weights as they are held
 */
export function answerSeconds(
  fileBytes: number,
  rate: AdapterRate,
  promptTokens = PROMPT_TOKENS,
  heldBytes = fileBytes,
): number {
  const { flopsPerSecond, bytesPerSecond } = rate;
  return (promptTokens * fileBytes) / flopsPerSecond + (ANSWER_TOKENS * heldBytes) / bytesPerSecond;
}

/** Bytes of the largest weights whose answer does not take longer than `SLOW_SECONDS`. */
export function largestBytes(rate: AdapterRate): number {
  return SLOW_SECONDS / answerSeconds(1, rate);
}

type Fit = "fits" | "tooLarge" | "unknown";

/** Whether the rest of a download fits into the browser's storage. */
export function storageFit(missingBytes: number, { freeBytes }: Place): Fit {
  if (freeBytes === undefined) return "unknown";
  return missingBytes <= freeBytes ? "fits" : "tooLarge";
}

/**
 * Whether weights fit into the adapter's memory. WebGPU does not tell how much that is: known are a software
 * adapter's, which is the computer's, and that no browser offers more than the computer has.
 */
export function memoryFit(weightBytes: number, { rate, deviceBytes }: Place): Fit {
  if (deviceBytes === undefined || !rate?.isFallback) return "unknown";
  return weightBytes * LOAD_SHARE <= deviceBytes ? "fits" : "tooLarge";
}
