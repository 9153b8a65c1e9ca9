import type { Rotary } from "@/compression/types";
import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { DType } from "@/gpu/kernels/common/dtype";
import type { CheckSpec } from "@/gpu/selfTest/checks";
import type { SelfTestResult } from "@/gpu/selfTest/selfTest";
import { chooseVariants, type Variants } from "@/gpu/variants";
import { type ByteSource, httpSource } from "@/model/checkpoint/byteSource";
import { modelCard } from "@/model/checkpoint/card";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import { type FileProgress, type JsonObject, ModelFiles } from "@/model/checkpoint/files";
import { filesFetch } from "@/model/checkpoint/filesFetch";
import { pytorchSource } from "@/model/checkpoint/quantized/mlxSource";
import { readStopIds } from "@/model/checkpoint/stopIds";
import { loadWeights } from "@/model/checkpoint/weights";
import { Decoder } from "@/model/decoder/decoder";
import { createKernelSet } from "@/model/decoder/kernelSet";
import type { ImageProcessor } from "@/model/families/family";
import { openVision } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import { ModelError } from "@/model/modelError";
import { type ImageMarkup, PromptBuilder } from "@/model/prompt/prompt";
import { checkPrompts } from "@/model/prompt/promptCheck";
import { Tokenizer } from "@/model/prompt/tokenizer";
import type { VisionEncoder } from "@/model/vision/encoder";
import { loadVisionEncoder } from "@/model/vision/load";
import type { EngineEvent, LoadRequest, ModelInfo } from "@/protocol/engine";
import { shown } from "@/text/shown";
import type { ModelShape } from "../request/prefillSpan";
import { describeModel } from "./modelInfo";
import { rememberedSelfTest } from "./rememberedTest";

export type ModelLoadProgress = Omit<Extract<EngineEvent, { type: "load" }>, "type">;

export interface ModelLoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ModelLoadProgress) => void;
}

/** The components that process images. */
export interface VisionModel {
  readonly processor: ImageProcessor;
  readonly encoder: VisionEncoder;
  readonly markup: ImageMarkup;
  /** Visual rows of one tile. */
  readonly rowsPerTile: number | undefined;
}

/** A loaded model: decoder, tokenizer, prompts, and vision if the model has it. */
export interface LoadedModel {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly variants: Variants;
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptBuilder;
  readonly vision: VisionModel | undefined;
  readonly stopIds: readonly number[];
  readonly shape: ModelShape;
  /** Everything but the load time. */
  readonly info: Omit<ModelInfo, "loadMs">;
  destroy(): Promise<void>;
}

/**
 * Loads a model directory: first the configuration, so that an unsupported model is refused before
 * large files are fetched, then weights, vision encoder and tokenizer in parallel.
 * @throws ModelError, KernelCompileError; the signal's reason
 */
export async function loadModel(
  gpu: Gpu,
  adapter: AdapterFacts,
  request: LoadRequest,
  { signal: stopped, onProgress }: ModelLoadOptions,
): Promise<LoadedModel> {
  const failed = new AbortController();
  const signal = AbortSignal.any([stopped, failed.signal]);
  const download = (progress: FileProgress) => onProgress({ ...progress, phase: "download" });
  const fetchFile = request.files ? filesFetch(request.baseUrl, request.files) : fetch;
  const files = new ModelFiles(request.baseUrl, { signal, onProgress: download, fetch: fetchFile });
  const json = await files.json("config.json");
  const config = parseConfig(json);
  const stored = httpSource(request.baseUrl, fetchFile);
  const source = await pytorchSource(stored, json, { signal });
  const cleanUps: (() => unknown)[] = [];
  const part = async <T>(loading: Promise<T>, free?: (loaded: T) => unknown): Promise<T> => {
    try {
      const loaded = await loading;
      if (free) cleanUps.push(() => free(loaded));
      return loaded;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  try {
    const loading = loadDecoder(
      gpu,
      adapter,
      config,
      { ...request, source },
      { signal, onProgress },
    );
    const tested = loading.then(({ variants }) => variants);
    tested.catch(() => undefined); // a model without vision does not ask for it
    const sources = { files, source, json, decoder: config };
    const [language, tokenizer, vision, stopIds] = await allOf([
      part(loading, ({ decoder }) => decoder.destroy()),
      part(Tokenizer.load(files)),
      part(loadVision(gpu, adapter, tested, sources, { signal, onProgress }), (loaded) =>
        loaded?.encoder.release(),
      ),
      part(readStopIds(files, json)),
    ]);
    signal.throwIfAborted();
    const { decoder, variants, notices } = language;
    const markup = vision?.markup;
    const prompts = new PromptBuilder(tokenizer, markup, stopIds);
    checkPrompts({ prompts, tokenizer, markup, vocabulary: config.vocabulary });
    return {
      gpu,
      decoder,
      variants,
      tokenizer,
      prompts,
      vision,
      stopIds,
      shape: shapeOf(config),
      info: describeModel(
        request,
        decoder,
        { ...adapter, lanes: variants.reduction, notices },
        files.readBytes + (vision?.encoder.tensorBytes ?? 0),
        { rowsPerTile: vision?.rowsPerTile, card: modelCard(json) },
      ),
      async destroy() {
        decoder.destroy();
        await vision?.encoder.release();
      },
    };
  } catch (error) {
    for (const cleanUp of cleanUps) await cleanUp();
    throw stopped.aborted ? stopped.reason : error;
  }
}

/** Waits for every part, also after one has failed, because the others' buffers must be freed. */
async function allOf<T extends readonly unknown[]>(
  parts: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const settled = await Promise.allSettled(parts);
  const failures = settled.filter((result) => result.status === "rejected");
  const first = failures.find(({ reason }) => !(reason instanceof DOMException)) ?? failures[0];
  if (first) throw first.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never as T;
}

interface Language extends SelfTestResult {
  readonly decoder: Decoder;
}

/** Weights, self-test and kernels; the adapter is tested and compiles while the weights arrive. */
async function loadDecoder(
  gpu: Gpu,
  adapter: AdapterFacts,
  config: DecoderConfig,
  { source, kvType: wanted, chunkRows }: LoadRequest & { readonly source: ByteSource },
  { signal, onProgress }: ModelLoadOptions,
): Promise<Language> {
  const file = "model.safetensors";
  const kvTypeFor = (dtype: DType) => wanted ?? (dtype === "f32" ? "f32" : "f16");
  let testing: Promise<SelfTestResult> | undefined;
  let compiling: Promise<unknown> | undefined;
  const prepare = (dtype: DType) => {
    testing = testAdapter(gpu, adapter, { dtype, kvType: kvTypeFor(dtype), shape: config });
    compiling = testing.then(({ variants }) =>
      createKernelSet(gpu, {
        variants,
        dtype,
        kvType: kvTypeFor(dtype),
        shape: config,
        chunkRows,
      }),
    );
    compiling.catch(() => undefined); // awaited below, unless the weights fail first
  };
  const weights = await loadWeights(gpu, config, source, {
    signal,
    onType: prepare,
    onProgress: (loadedBytes, totalBytes) =>
      onProgress({ file, loadedBytes, totalBytes, phase: "download" }),
  });
  try {
    const { bytes, dtype } = weights;
    const tell = (phase: ModelLoadProgress["phase"]) =>
      onProgress({ file, loadedBytes: bytes, totalBytes: bytes, phase });
    signal.throwIfAborted();
    tell("selfTest");
    const tested = await (testing as Promise<SelfTestResult>);
    signal.throwIfAborted();
    tell("compile");
    await compiling;
    const chunks = chunkRows === undefined ? {} : { chunkRows };
    const options = { variants: tested.variants, kvType: kvTypeFor(dtype), ...chunks };
    return { ...tested, decoder: await Decoder.create(gpu, config, weights, options) };
  } catch (error) {
    weights.destroy();
    throw error;
  }
}

function testAdapter(gpu: Gpu, adapter: AdapterFacts, spec: CheckSpec): Promise<SelfTestResult> {
  const { isFallback } = adapter;
  const wanted = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  return rememberedSelfTest(gpu, adapter, wanted, spec);
}

interface VisionSources {
  readonly files: ModelFiles;
  readonly json: JsonObject;
  readonly decoder: DecoderConfig;
  readonly source: ByteSource;
}

async function loadVision(
  gpu: Gpu,
  { isFallback }: AdapterFacts,
  variants: Promise<Variants>,
  { files, json, decoder, source }: VisionSources,
  { signal, onProgress }: ModelLoadOptions,
): Promise<VisionModel | undefined> {
  const family = familyOf(json)?.vision;
  if (json.vision_config === undefined || !family) return undefined;
  if (typeof json.vision_config !== "object") {
    const given = shown(json.vision_config);
    throw new ModelError(
      "badModel",
      `The vision_config of config.json is ${given}, not an object.`,
    );
  }
  const imageTokenId = json.image_token_id ?? json.image_token_index;
  if (typeof imageTokenId !== "number") {
    throw new ModelError("badModel", "The model's config.json names no image_token_id.");
  }
  const { weights, rowsPerTile, processor: open, markup } = openVision(family, json, decoder);
  const [processor, encoder] = await Promise.all([
    open(files),
    loadVisionEncoder(gpu, {
      ...{ files, source, weights, variants, signal },
      isSoftwareAdapter: isFallback,
      onProgress: (loadedBytes, totalBytes) =>
        onProgress({ file: "vision encoder", loadedBytes, totalBytes, phase: "download" }),
    }),
  ]);
  return { processor, encoder, markup: markup(imageTokenId), rowsPerTile };
}

function shapeOf({ layers, kvHeads, headDim, ropeBase }: DecoderConfig): ModelShape {
  const rotary: Rotary = { theta: ropeBase, headDim };
  return { layers, kvHeads, rotary };
}
