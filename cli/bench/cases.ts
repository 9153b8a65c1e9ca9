import { SHAPE_NAMES } from "@/bench/shapes";
import { aimsCase } from "./aimsCase";
import { batchCase } from "./batchCase";
import type { Bench } from "./bench";
import { cacheTypesCase, checkCase } from "./fixtures";
import { attentionCase, dispatchCase, gemvCase, matmulCase } from "./kernelCases";
import { latencyCase } from "./latencyCase";
import {
  type BenchedModel,
  compactionCase,
  decodeCase,
  hostCase,
  MINI,
  prefillCase,
  tapsCase,
} from "./modelCases";
import { ortCase } from "./ortCase";
import { tuneCase } from "./tuneCase";

/** Measurements of one model after the other, which is loaded once for all of them. */
export const MODEL_CASES: Readonly<
  Record<string, (bench: Bench, model: BenchedModel) => Promise<void>>
> = {
  prefill: prefillCase,
  decode: decodeCase,
  host: hostCase,
  batch: batchCase,
  compaction: compactionCase,
  taps: tapsCase,
  ort: ortCase,
};

/** Measurements that load what they need. They run before the models, in this order. */
export const CASES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  aims: aimsCase,
  check: checkCase,
  cacheTypes: cacheTypesCase,
  tune: tuneCase,
  latency: latencyCase,
  dispatch: dispatchCase,
  gemv: gemvCase,
  attention: attentionCase,
  matmul: matmulCase,
};

/** A shape's name, with the weights in 8 or 4 bits behind a colon. */
export const MODELS: readonly string[] = [
  ...[MINI, ...SHAPE_NAMES],
  ...["q8", "q4"].flatMap((type) => SHAPE_NAMES.map((name) => `${name}:${type}`)),
];
