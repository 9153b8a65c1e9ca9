import { expect, it } from "vitest";
import { shapeConfig } from "@/bench/shapes";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { isGroupedKv, type KvType } from "@/gpu/kernels/kv/kvType";
import type { Recorder } from "@/gpu/recorder";
import type { Variants } from "@/gpu/variants";
import { collectKernels } from "../../../test/kernelSpecs";
import type { DecoderConfig } from "../checkpoint/config";
import type { KvCache } from "../kv/cache";
import { type ForwardModel, recordAttention, recordProducts } from "./forward";
import { createKernelSet } from "./kernelSet";
import { rowProducts, stepKernels, stepProducts } from "./layerKernels";

const GPU: Variants = { reduction: "subgroup", matmul: "tiled", flash: "tiled", attend: "wide" };
const SOFTWARE: Variants = {
  reduction: "one",
  matmul: "subgroup",
  flash: "subgroup",
  attend: "wide",
};
const DTYPES = ["f16"] as const;
const TYPES = { embedding: DTYPES, qkv: DTYPES, output: DTYPES, gateUp: DTYPES } as const;

/** A model without numbers: its kernels are the real wrappers, its matrices have one part each. */
async function modelOf(
  shape: DecoderConfig,
  variants: Variants,
  { kvType = "f16", headNorm }: { readonly kvType?: KvType; readonly headNorm?: GPUBuffer } = {},
) {
  const config = { ...shape, hasHeadNorm: headNorm !== undefined };
  const { gpu } = collectKernels();
  const types = { ...TYPES, down: DTYPES, head: DTYPES };
  const kernels = await createKernelSet(gpu, { variants, types, kvType, shape: config });
  const { hidden, intermediate, heads, kvHeads, headDim } = config;
  const matrix = (label: string, rows: number, columns: number): Matrix => {
    const parts = [{ buffer: {} as GPUBuffer, firstRow: 0, rows }];
    return { label, dtype: "f16", rows, columns, parts };
  };
  const layer = {
    attentionNorm: { buffer: {}, biasFirst: hidden },
    headNorm,
    qkv: matrix("qkv", (heads + 2 * kvHeads) * headDim, hidden),
    output: matrix("output", hidden, heads * headDim),
    gateUp: matrix("gate and up", intermediate, hidden),
    down: matrix("down", hidden, intermediate),
  };
  const weights = { layers: [layer] };
  const newRows = isGroupedKv(kvType) ? { binding: {}, stride: 64 } : undefined;
  const activations = { qkv: {}, newRows };
  return { config, kernels, weights, activations } as unknown as ForwardModel;
}

/** Dispatches of a layer in one decoding step. */
function dispatchesOf(model: ForwardModel, capacity: number): number {
  const cache = { layer: () => ({}), largestCapacity: () => capacity } as unknown as KvCache;
  let count = 0;
  const recorder = { dispatch: () => count++ } as unknown as Recorder;
  const scratch = { partials: {} as GPUBuffer, stats: {} as GPUBuffer };
  const layerKernels = { ...stepKernels(model, cache, scratch), ...stepProducts(model) };
  const pass = { cache, ids: {} as GPUBuffer, features: [], rows: 1, firstRow: 0, layerKernels };
  recordAttention(model, recorder, pass, 0);
  recordProducts(model, recorder, { layerKernels }, 0);
  return count;
}

it.each([
  ["SmolVLM-256M", 1024],
  ["Llama-1.1B", 1024],
  ["LLaVA-1.5-7B", 512],
  ["LLaVA-OneVision-7B", 512],
] as const)("%s: five dispatches a layer up to %i rows, then six", async (name, direct) => {
  const model = await modelOf(shapeConfig(name), GPU);
  expect(dispatchesOf(model, 64)).toBe(5);
  expect(dispatchesOf(model, direct)).toBe(5);
  expect(dispatchesOf(model, direct + 64)).toBe(6);
  expect(dispatchesOf(model, 32_768)).toBe(6);
});

it.each([
  { kvType: "f16", headNorm: {} as GPUBuffer },
  { kvType: "q8" },
  { kvType: "q4", headNorm: {} as GPUBuffer },
] as const)("norms of heads and caches of codes take no more: %j", async (options) => {
  const model = await modelOf(shapeConfig("Llama-1.1B"), GPU, options);
  expect(dispatchesOf(model, 1024)).toBe(5);
  expect(dispatchesOf(model, 1088)).toBe(6);
});

it("software adapters always combine, and append such rows on their own", async () => {
  const model = (options?: Parameters<typeof modelOf>[2]) =>
    modelOf(shapeConfig("SmolVLM-256M"), SOFTWARE, options);
  const headNorm = {} as GPUBuffer;
  expect(dispatchesOf(await model(), 64)).toBe(6);
  expect(dispatchesOf(await model({ headNorm }), 64)).toBe(7);
  expect(dispatchesOf(await model({ kvType: "q8", headNorm }), 64)).toBe(8);
});

it("several rows at once take two norms more for the products", async () => {
  const model = await modelOf(shapeConfig("Llama-1.1B"), GPU);
  let count = 0;
  const recorder = { dispatch: () => count++ } as unknown as Recorder;
  const layerKernels = rowProducts(model, 4);
  layerKernels.projectQkv(recorder, model.weights.layers[0]!);
  recordProducts(model, recorder, { layerKernels }, 0);
  expect(count).toBe(6);
});
