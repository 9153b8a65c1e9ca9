import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { CheckSpec } from "@/gpu/selfTest/checkRun";
import type { SelfTestResult } from "@/gpu/selfTest/selfTest";
import { chooseVariants } from "@/gpu/variants";
import type { ByteSource } from "@/model/checkpoint/byteSource";
import type { DecoderConfig } from "@/model/checkpoint/config";
import {
  type DecoderTypes,
  type DecoderWeights,
  loadWeights,
  typesOf,
} from "@/model/checkpoint/weights";
import { Decoder } from "@/model/decoder/decoder";
import { createKernelSet } from "@/model/decoder/kernelSet";
import type { EngineEvent } from "@/protocol/event";
import type { LoadRequest } from "@/protocol/model";
import { rememberedSelfTest } from "./rememberedTest";

export type ModelLoadProgress = Omit<Extract<EngineEvent, { type: "load" }>, "type">;

export interface ModelLoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ModelLoadProgress) => void;
}

type LanguageRequest = LoadRequest & ModelLoadOptions & { readonly source: ByteSource };

/** A decoder, and what the self-test found. */
interface LoadedLanguage extends SelfTestResult {
  readonly decoder: Decoder;
}

/** Weights, self-test and kernels; the adapter is tested and compiles while the weights arrive. */
export async function loadLanguage(
  gpu: Gpu,
  adapter: AdapterFacts,
  config: DecoderConfig,
  { source, kvType: wanted, weightType, chunkRows, signal, onProgress }: LanguageRequest,
): Promise<LoadedLanguage> {
  const file = "model.safetensors";
  const kvTypeFor = (types: DecoderTypes) =>
    wanted ?? (types.qkv.every((type) => type === "f32") ? "f32" : "f16");
  let testing: Promise<SelfTestResult> | undefined;
  let compiling: Promise<unknown> | undefined;
  const prepare = (types: DecoderTypes) => {
    const dtypes = [...new Set(Object.values(types).flat())];
    testing = testAdapter(gpu, adapter, { dtypes, kvType: kvTypeFor(types), shape: config });
    compiling = testing.then(({ variants }) =>
      createKernelSet(gpu, {
        variants,
        types,
        kvType: kvTypeFor(types),
        shape: config,
        chunkRows,
      }),
    );
    compiling.catch(() => undefined); // awaited below, unless the weights fail first
  };
  let weights: DecoderWeights | undefined;
  try {
    weights = await loadWeights(gpu, config, source, {
      signal,
      weightType: weightType === "f32" ? undefined : (weightType ?? "narrow"),
      onTypes: prepare,
      onProgress: (loadedBytes, totalBytes) =>
        onProgress({ file, loadedBytes, totalBytes, phase: "download" }),
    });
    const { bytes } = weights;
    const tell = (phase: ModelLoadProgress["phase"]) =>
      onProgress({ file, loadedBytes: bytes, totalBytes: bytes, phase });
    signal.throwIfAborted();
    tell("selfTest");
    const tested = await (testing as Promise<SelfTestResult>);
    signal.throwIfAborted();
    tell("compile");
    await compiling;
    const chunks = chunkRows === undefined ? {} : { chunkRows };
    const options = { variants: tested.variants, kvType: kvTypeFor(typesOf(weights)), ...chunks };
    return { ...tested, decoder: await Decoder.create(gpu, config, weights, options) };
  } catch (error) {
    weights?.destroy();
    // The self-test may still run, and holds buffers until it ends.
    await (testing as Promise<SelfTestResult> | undefined)?.catch(() => undefined);
    throw error;
  }
}

function testAdapter(gpu: Gpu, adapter: AdapterFacts, spec: CheckSpec): Promise<SelfTestResult> {
  const { isFallback } = adapter;
  const wanted = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  return rememberedSelfTest(gpu, adapter, wanted, spec);
}
