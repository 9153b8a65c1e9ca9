import type { PassTimes } from "@/bench/passTimes";
import { SHAPE_NAMES } from "@/bench/shapes";
import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import type { Variants } from "@/gpu/variants";
import { aimsCase } from "./aimsCase";
import { batchCase } from "./batchCase";
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
import type { Report } from "./report";
import { tuneCase } from "./tuneCase";

/** What every measurement has: the device, what it can do, and how much to measure. */
export interface Bench {
  readonly gpu: Gpu;
  readonly adapter: AdapterFacts;
  readonly variants: Variants;
  readonly kvType: KvType;
  /** Undefined if the adapter has no timestamps. */
  readonly times: PassTimes | undefined;
  /** Bytes a second of a copying kernel. */
  readonly copy: number | undefined;
  readonly sizes: Sizes;
  readonly report: Report;
}

export interface Sizes {
  readonly models: readonly string[];
  readonly rows: readonly number[];
  readonly prefill: readonly number[];
  readonly steps: number;
  readonly repeats: number;
  /** Most that weights and caches may take. */
  readonly memoryGb: number;
}

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
