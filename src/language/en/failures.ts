import type { EngineFailure, FailureCode } from "@/protocol/engine";

type Sentence = (message: string) => string;

const asSaid: Sentence = (message) => message;

/** Failures: the sentence of each code, and the labels of the buttons beside them. */
export const failuresEn: {
  readonly sentences: Readonly<Record<FailureCode, Sentence>>;
  readonly actions: Readonly<Record<NonNullable<EngineFailure["action"]>, string>>;
  readonly raiseCap: (megabytes: number) => string;
  readonly insecure: string;
  readonly lostOften: string;
} = {
  // The engine's own sentences are English.
  sentences: {
    noWebGpu: () =>
      "The model needs WebGPU, which this browser does not have. Current Chrome and Edge " +
      "have it, and so do Safari 26 and Firefox on Windows and macOS. Everything else on this page works.",
    missingLimit: asSaid,
    unknownArchitecture: asSaid,
    missingFile: asSaid,
    badModel: asSaid,
    badImage: asSaid,
    imageTooLarge: asSaid,
    badRequest: asSaid,
    contextOverflow: asSaid,
    outOfMemory: asSaid,
    capTooSmall: asSaid,
    deviceLost: asSaid,
    busy: asSaid,
    cancelled: (message) => message || "Stopped before the first token.",
    noModel: asSaid,
    internal: (message) => `Internal error of the engine: ${message}`,
  },
  raiseCap: (megabytes) => `Raise the cap to ${megabytes} MB`,
  actions: {
    retry: "Try again",
    keepLess: "Keep less",
    chooseImage: "Choose another image",
    reload: "Load the model again",
    newConversation: "Start a new conversation",
  },
  insecure:
    "This address is not secure, and WebGPU, which the model computes with, needs https or localhost. " +
    "Open the page under https, or as http://localhost on the machine that serves it.",
  lostOften: "The graphics device was lost several times in a minute.",
};
