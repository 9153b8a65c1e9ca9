import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/engine";

/** The sentence of a failure: the engine's message, or the page's if it knows more. */
export function failureSentence({ code, message }: EngineFailure): string {
  const { sentences, insecure } = texts.failures;
  // Browsers provide WebGPU only on secure origins.
  if (code === "noWebGpu" && globalThis.isSecureContext === false) return insecure;
  return sentences[code](message);
}

/** The default action for a failure without one. */
export function withAction(failure: EngineFailure): EngineFailure {
  if (failure.action || failure.code === "noWebGpu") return failure;
  const action = failure.code === "outOfMemory" ? "keepLess" : "retry";
  return { ...failure, action };
}
