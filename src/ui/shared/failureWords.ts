import type { EngineFailure } from "@/protocol/engine";

/** Label of the button beside a failure. */
export const FAILURE_ACTIONS: Readonly<Record<NonNullable<EngineFailure["action"]>, string>> = {
  retry: "Try again",
  keepLess: "Keep less",
  chooseImage: "Choose another image",
  reload: "Load the model again",
  newConversation: "Start a new conversation",
};

/** The engine's message, or the page's if it has more information about the browser. */
export function failureSentence({ code, message }: EngineFailure): string {
  switch (code) {
    case "noWebGpu":
      // Browsers provide WebGPU only on secure origins.
      if (globalThis.isSecureContext === false) {
        return (
          "This address is not secure, and WebGPU, which the model computes with, needs https or localhost. " +
          "Open the page under https, or as http://localhost on the machine that serves it."
        );
      }
      return (
        "The model needs WebGPU, which this browser does not have. Current Chrome and Edge " +
        "have it, and so do Safari 26 and Firefox on Windows and macOS. Everything else on this page works."
      );
    case "cancelled":
      return message || "Stopped before the first token.";
    case "internal":
      return `Internal error of the engine: ${message}`;
    default:
      return message;
  }
}

/** The default action for a failure without one. */
export function withAction(failure: EngineFailure): EngineFailure {
  if (failure.action || failure.code === "noWebGpu") return failure;
  const action = failure.code === "outOfMemory" ? "keepLess" : "retry";
  return { ...failure, action };
}
