import { PolicyError } from "@/compression/types";
import { DeviceError } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import { type Memory, OutOfMemoryError } from "@/gpu/memory";
import { SelfTestError } from "@/gpu/selfTest/selfTest";
import { ImageError } from "@/images/imageError";
import { EvictionError } from "@/model/eviction/evictionRound";
import { ModelError } from "@/model/modelError";
import { PromptError } from "@/model/prompt/promptError";
import { EngineError, type EngineFailure } from "@/protocol/failure";
import type { LoadRequest } from "@/protocol/model";
import { formatBytes } from "@/text/format";

/** Converts any error into the failure that crosses the worker's boundary. */
export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(failureOf(error), { cause: error });
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof DeviceError) return deviceFailure(error);
  if (error instanceof ModelError) return modelFailure(error);
  if (error instanceof ImageError) return imageFailure(error);
  if (error instanceof SelfTestError) {
    return { code: "noWebGpu", message: error.message, reason: { kind: "wrongResults" } };
  }
  if (error instanceof EvictionError) return { code: "badRequest", message: error.message };
  if (error instanceof PolicyError) return { code: "badRequest", message: error.message };
  if (error instanceof PromptError) return { code: "badModel", message: error.message };
  if (isAbort(error)) return CANCELLED;
  if (isOutOfMemory(error)) return outOfMemory(error);
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "internal", message: "The engine failed unexpectedly.", action: "retry", detail };
}

function deviceFailure({ reason: code, message, problem }: DeviceError): EngineFailure {
  return problem ? { code, message, reason: problem } : { code, message };
}

function imageFailure({ code, message, problem: reason }: ImageError): EngineFailure {
  return { code, message, reason, action: "chooseImage" };
}

function modelFailure({ code, message }: ModelError): EngineFailure {
  if (code === "network") return { code: "badModel", message, action: "retry" };
  if (code === "contextOverflow") return { code, message, action: "newConversation" };
  return { code, message };
}

const CANCELLED: EngineFailure = { code: "cancelled", message: "Stopped." };

function outOfMemory(error?: unknown): EngineFailure {
  const message = `There is not enough graphics memory for this${numbersOf(error)}. A smaller retention needs less.`;
  const reason = { kind: "memory", ...bytesOf(error) } as const;
  return { code: "outOfMemory", message, reason, action: "keepLess" };
}

/** The failure of a load that ran out of memory. */
export function modelTooLarge(cause: unknown, weightType: LoadRequest["weightType"]): EngineError {
  const sentence = `There is not enough graphics memory for this model${numbersOf(cause)}.`;
  const reason = { kind: "modelMemory", ...bytesOf(cause) } as const;
  const failure = { code: "outOfMemory", message: sentence, reason } as const;
  if (weightType === "q4") return new EngineError(failure, { cause });
  const message = `${sentence} Weights in ${weightType === "q8" ? "4 bits" : "8 or 4 bits"} need less.`;
  return new EngineError({ ...failure, message, action: "smallerWeights" }, { cause });
}

/** What was needed and what was free, as far as known. */
function bytesOf(error: unknown): { readonly needed?: number; readonly free?: number } {
  if (!(error instanceof OutOfMemoryError)) return {};
  const { needed, free } = error;
  return free === undefined ? { needed } : { needed, free: Math.max(0, free) };
}

function numbersOf(error: unknown): string {
  const { needed, free } = bytesOf(error);
  if (needed === undefined) return "";
  const rest = free === undefined ? "" : `, and ${formatBytes(free)} are free`;
  return `: it needs ${formatBytes(needed)}${rest}`;
}

export const DEVICE_LOST: EngineFailure = {
  code: "deviceLost",
  message: "The graphics device was lost; the model must be loaded again.",
  action: "reload",
};

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Messages of browsers that cannot allocate an array; the error has no type of its own. */
const NO_ARRAY_BUFFER = "Array buffer allocation failed";

/** Whether memory ran out: of the adapter, of a limit, or of the page. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof EngineError) return error.failure.code === "outOfMemory";
  if (error instanceof OutOfMemoryError || isGpuOutOfMemory(error)) return true;
  return error instanceof RangeError && error.message === NO_ARRAY_BUFFER;
}

/** Node and browsers without WebGPU have no such class. */
function isGpuOutOfMemory(error: unknown): boolean {
  return typeof GPUOutOfMemoryError !== "undefined" && error instanceof GPUOutOfMemoryError;
}

/**
 * Errors that the device reports outside of any call: WebGPU reports failed allocations and invalid
 * commands only by events, afterwards. Stages call `check` after every wait for the GPU.
 */
export class DeviceFaults {
  readonly #memory: Memory;
  #fault: unknown;
  #isLost = false;

  constructor(
    { device, memory }: Pick<Gpu, "device" | "memory">,
    onLost: (message: string) => void,
  ) {
    this.#memory = memory;
    device.addEventListener("uncapturederror", (event) => {
      this.#fault ??= (event as GPUUncapturedErrorEvent).error;
      event.preventDefault();
    });
    void device.lost.then(({ message }) => {
      this.#isLost = true;
      onLost(message);
    });
  }

  /** @throws EngineError, OutOfMemoryError for an error since the last check. */
  check(): void {
    if (this.#isLost) throw new EngineError(DEVICE_LOST);
    const fault = this.#fault;
    this.#fault = undefined;
    // What follows from a refused buffer is no fault of its own.
    this.#memory.check();
    if (isGpuOutOfMemory(fault)) throw new EngineError(outOfMemory());
    if (fault) throw new Error((fault as GPUError).message);
  }
}
