import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";

/** The sentence of a failure: the engine's message, or the page's if it knows more. */
export function failureSentence({ code, message, reason }: EngineFailure): string {
  const { sentences, insecure, reason: exactly } = texts.failures;
  // Browsers provide WebGPU only on secure origins.
  if (code === "noWebGpu" && globalThis.isSecureContext === false) return insecure;
  return (reason && exactly(reason)) ?? sentences[code](message);
}

/** The engine's sentence, where the page's is less exact: about a model's files, in another language. */
export function originalMessage({ code, message, reason }: EngineFailure): string | undefined {
  const isSaid = texts.failures.sentences[code](message).includes(message);
  return isSaid || reason || COMPLETE.has(code) ? undefined : message;
}

/** Codes whose sentence leaves nothing out. */
const COMPLETE: ReadonlySet<string> = new Set([
  "noWebGpu",
  "deviceLost",
  "busy",
  "cancelled",
  "noModel",
]);

/** The default action for a failure without one. */
export function withAction(failure: EngineFailure): EngineFailure {
  if (failure.action || failure.code === "noWebGpu") return failure;
  const action = failure.code === "outOfMemory" ? "keepLess" : "retry";
  return { ...failure, action };
}
