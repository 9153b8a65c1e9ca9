import type { Rotary } from "@/compression/types";
import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import { type ByteSource, httpSource } from "@/model/checkpoint/byteSource";
import { modelCard } from "@/model/checkpoint/card";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import { type FileProgress, type JsonObject, ModelFiles } from "@/model/checkpoint/files";
import { filesFetch } from "@/model/checkpoint/filesFetch";
import { pytorchSource } from "@/model/checkpoint/quantized/mlxSource";
import { readStopIds } from "@/model/checkpoint/stopIds";
import type { Decoder } from "@/model/decoder/decoder";
import type { ImageProcessor } from "@/model/families/family";
import { openVision, videoTokenOf } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import { ModelError } from "@/model/modelError";
import type { ImageMarkup } from "@/model/prompt/imageMarkup";
import { PromptBuilder } from "@/model/prompt/prompt";
import { checkPrompts } from "@/model/prompt/promptCheck";
import { Tokenizer } from "@/model/prompt/tokenizer";
import type { VisionEncoder } from "@/model/vision/encoder";
import { Familiarity } from "@/model/vision/familiarity";
import { loadVisionEncoder } from "@/model/vision/load";
import type { RangeMemory } from "@/model/vision/rangedEncoder";
import type { LoadRequest, ModelInfo } from "@/protocol/model";
import { shown } from "@/text/shown";
import type { ModelShape } from "../request/prefillSpan";
import { loadLanguage, type ModelLoadOptions } from "./loadLanguage";
import { allOf, LoadParts } from "./loadParts";
import { describeModel, weightsIdentity } from "./modelInfo";
import { rangeMemory } from "./rememberedRange";

/** The components that process images. */
export interface VisionModel {
  /** Side of a feature row's part of the processed image, in pixels. */
  readonly featureSide: number;
  readonly processor: ImageProcessor;
  readonly encoder: VisionEncoder;
  readonly markup: ImageMarkup;
  /** Absent if the model's card states no threshold. */
  readonly familiarity: Familiarity | undefined;
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
  /** Everything but what the load took. */
  readonly info: Omit<ModelInfo, "loadMs" | "loadPeakBytes">;
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
  const parts = new LoadParts(stopped);
  const { signal } = parts;
  const download = (progress: FileProgress) => onProgress({ ...progress, phase: "download" });
  const fetchFile = request.files ? filesFetch(request.baseUrl, request.files) : fetch;
  const files = new ModelFiles(request.baseUrl, { signal, onProgress: download, fetch: fetchFile });
  const json = await files.json("config.json");
  const config = parseConfig(json);
  const stored = httpSource(request.baseUrl, fetchFile);
  const source = await pytorchSource(stored, json, { signal });
  try {
    const options = { signal, onProgress };
    const loading = loadLanguage(gpu, adapter, config, { ...request, ...options, source });
    const tested = loading.then(({ variants }) => variants);
    tested.catch(() => undefined); // a model without vision does not ask for it
    const rangeOwner = loading.then(({ decoder }) => ({
      model: request.baseUrl,
      weights: weightsIdentity(request.revision, decoder.weights),
      adapter,
    }));
    rangeOwner.catch(() => undefined); // nor does one whose encoder has one kind of numbers
    const range = await rangeMemory(rangeOwner);
    const narrows = request.weightType !== "f32";
    const sources = { files, source, json, decoder: config, range, narrows, ...options };
    const [language, tokenizer, vision, stopIds] = await allOf([
      parts.add(loading, ({ decoder }) => decoder.destroy()),
      parts.add(Tokenizer.load(files)),
      parts.add(loadVision(gpu, adapter, parts, { variants: tested, ...sources })),
      parts.add(readStopIds(files, json)),
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
      info: describeModel({
        request,
        decoder,
        adapter: {
          ...adapter,
          reduction: variants.reduction,
          notices: [...notices, ...(vision?.encoder.notices ?? [])],
        },
        otherBytes: files.readBytes + (vision?.encoder.tensorBytes ?? 0),
        rowsPerTile: vision?.rowsPerTile,
        card: modelCard(json),
      }),
      async destroy() {
        decoder.destroy();
        await vision?.encoder.release();
      },
    };
  } catch (error) {
    await parts.free();
    throw stopped.aborted ? stopped.reason : error;
  }
}

interface VisionSources extends ModelLoadOptions {
  /** The kernel variants that pass the self-test. */
  readonly variants: Promise<Variants>;
  readonly files: ModelFiles;
  readonly json: JsonObject;
  readonly decoder: DecoderConfig;
  readonly source: ByteSource;
  readonly range: RangeMemory;
  readonly narrows: boolean;
}

/** @param parts takes the encoder, and what else loads beside it */
async function loadVision(
  gpu: Gpu,
  { isFallback }: AdapterFacts,
  parts: LoadParts,
  sources: VisionSources,
): Promise<VisionModel | undefined> {
  const { variants, files, json, decoder, source, range, narrows, signal, onProgress } = sources;
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
  const opened = openVision(family, json, decoder);
  const { weights, rowsPerTile, featureSide, processor: open, markup } = opened;
  const loadingEncoder = loadVisionEncoder(gpu, {
    ...{ files, source, weights, variants, range, narrows, signal },
    isSoftwareAdapter: isFallback,
    onProgress: (loadedBytes, totalBytes) =>
      onProgress({ file: "vision encoder", loadedBytes, totalBytes, phase: "download" }),
  });
  const [processor, familiarity, encoder] = await allOf([
    parts.add(open(files, gpu.device.limits.maxStorageBufferBindingSize)),
    parts.add(openFamiliarity(files, json, decoder)),
    parts.add(loadingEncoder, (loaded) => loaded.release()),
  ]);
  const written = markup(imageTokenId, videoTokenOf(json));
  return { processor, encoder, familiarity, markup: written, rowsPerTile, featureSide };
}

/** Undefined if the model's card states no threshold. */
async function openFamiliarity(
  files: ModelFiles,
  json: JsonObject,
  { hidden }: DecoderConfig,
): Promise<Familiarity | undefined> {
  const below = modelCard(json)?.familiarBelow;
  return below === undefined ? undefined : Familiarity.load(files, hidden, below);
}

function shapeOf({ layers, kvHeads, headDim, ropeBase }: DecoderConfig): ModelShape {
  const rotary: Rotary = { theta: ropeBase, headDim };
  return { layers, kvHeads, rotary };
}
