import type { EngineFailure, FailureCode } from "@/protocol/failure";
import type { FailureReason } from "@/protocol/reason";

type Sentence = (message: string) => string;

const asSaid: Sentence = (message) => message;

/** Without WebGPU there is a sentence of the page; with it, these say more. */
const ADAPTERS: Partial<Record<FailureReason["kind"], string>> = {
  noAdapter:
    "This browser has WebGPU, but no graphics adapter for it. Everything else on this page works.",
  wrongResults:
    "This graphics adapter computes wrong results, so the model does not run on it. Everything else " +
    "on this page works.",
};

/** Failures: the sentence of each code, and the labels of the buttons beside them. */
export const failuresEn: {
  readonly sentences: Readonly<Record<FailureCode, Sentence>>;
  /**
   * The sentence of what exactly failed, where the page's differs from the engine's.
   * @param file the name of an image file
   */
  readonly reason: (reason: FailureReason, file?: string) => string | undefined;
  /** Of the engine's own sentence, which a page in another language shows on request. */
  readonly original: string;
  readonly actions: Readonly<Record<NonNullable<EngineFailure["action"]>, string>>;
  readonly raiseCap: (megabytes: number) => string;
  readonly keepLessOfEarlier: string;
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
  reason: ({ kind }) => (kind in ADAPTERS ? ADAPTERS[kind] : undefined),
  original: "Original message",
  raiseCap: (megabytes) => `Raise the cap to ${megabytes} MB`,
  keepLessOfEarlier: "Keep less of earlier images",
  actions: {
    retry: "Try again",
    keepLess: "Keep less",
    chooseImage: "Choose another image",
    reload: "Load the model again",
    newConversation: "Start a new conversation",
    smallerWeights: "Load with smaller weights",
  },
  insecure:
    "This address is not secure, and WebGPU, which the model computes with, needs https or localhost. " +
    "Open the page under https, or as http://localhost on the machine that serves it.",
  lostOften: "The graphics device was lost several times in a minute.",
};
