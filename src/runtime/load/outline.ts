import { rowBytes } from "@/gpu/kernels/common/dtype";
import { type KvType, kvRowBytes } from "@/gpu/kernels/kv/kvType";
import { parseConfig } from "@/model/checkpoint/config";
import { type JsonObject, ModelFiles, parseJson } from "@/model/checkpoint/files";
import { filesFetch } from "@/model/checkpoint/filesFetch";
import { decoderTensors } from "@/model/checkpoint/weights";
import { decoderTypes, type TypeOf, type WeightType } from "@/model/checkpoint/weightTypes";
import { openVision } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import { type ModelOutline, OUTLINE_IMAGE } from "@/protocol/model";

/** No request leaves for it: the files are given. */
const NOWHERE = "https://model.invalid/";

/**
 * @param text of a `config.json` @param beside texts of the image processor's files, by name
 * @throws ModelError
 */
export async function outlineModel(
  text: string,
  beside: Readonly<Record<string, string>> = {},
): Promise<ModelOutline> {
  const json = parseJson("config.json", text);
  const { architecture, layers, kvHeads, headDim, contextLength } = parseConfig(json);
  const family = familyOf(json);
  const hasVision = family?.vision !== undefined && json.vision_config !== undefined;
  const isKnown = hasVision && Object.keys(beside).length > 0;
  const rowsPerImage = isKnown ? await rowsOfImage(json, beside) : undefined;
  const rowBytes = (type: KvType) => 2 * layers * kvHeads * kvRowBytes(type, headDim);
  return {
    family: family?.title ?? architecture,
    hasVision,
    layers,
    contextLength,
    bytesPerRow: { f16: rowBytes("f16"), q8: rowBytes("q8"), q4: rowBytes("q4") },
    ...(rowsPerImage === undefined ? {} : { rowsPerImage }),
    ...(isGrouped(json) ? {} : { weightBytes: weightBytes(json), savedBytes: savedBytes(json) }),
  };
}

/** Weights that are in 8 or 4 bits already. */
function isGrouped({ quantization, quantization_config }: JsonObject): boolean {
  return (quantization ?? quantization_config) !== undefined;
}

/** The type of the weights in the file, as the configuration names it. */
function storedFloat(json: JsonObject): "f32" | "f16" {
  const text = (json.text_config ?? json) as JsonObject;
  const named = [json.dtype, json.torch_dtype, text.dtype, text.torch_dtype];
  return named.includes("float32") ? "f32" : "f16";
}

type Tensors = ReturnType<typeof decoderTensors>;

/** The tensors that a load reads, of the decoder and of the vision encoder. */
function weightBytes(json: JsonObject): number {
  const elements = elementsOf(decoderTensors(parseConfig(json))) + elementsOf(encoderTensors(json));
  return elements * (storedFloat(json) === "f32" ? 4 : 2);
}

function encoderTensors(json: JsonObject): Tensors {
  const vision = json.vision_config === undefined ? undefined : familyOf(json)?.vision;
  return vision ? openVision(vision, json, parseConfig(json)).weights.tensors() : [];
}

function elementsOf(tensors: Tensors): number {
  return tensors.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** What 16, 8 and 4 bits save: of the decoder's matrices, and of an encoder's in 32 bits. */
function savedBytes(json: JsonObject): NonNullable<ModelOutline["savedBytes"]> {
  const stored = storedFloat(json);
  const config = parseConfig(json);
  const matrices = decoderTensors(config).filter(([, shape]) => shape.length > 1);
  const narrowed = stored === "f32" ? 2 * elementsOf(encoderTensors(json)) : 0;
  const bytes = (typeOf: TypeOf) =>
    matrices.reduce(
      (sum, [name, [rows = 0, columns = 0]]) =>
        sum + rows * rowBytes(typeOf(name, stored), columns),
      0,
    );
  const asStored = bytes(decoderTypes(undefined));
  const saved = (type: WeightType) => narrowed + asStored - bytes(decoderTypes(type));
  return { f16: saved("narrow"), q8: saved("q8"), q4: saved("q4") };
}

/** Visual rows of an image of `OUTLINE_IMAGE`. @throws ModelError */
async function rowsOfImage(
  json: JsonObject,
  beside: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const vision = familyOf(json)?.vision;
  if (!vision) return undefined;
  const blobs = Object.entries(beside).map(([name, text]) => [name, new Blob([text])] as const);
  const files = new ModelFiles(NOWHERE, { fetch: filesFetch(NOWHERE, new Map(blobs)) });
  const processor = await openVision(vision, json, parseConfig(json)).processor(files);
  const { width, height } = OUTLINE_IMAGE;
  const [fitWidth, fitHeight] = processor.sizeFor(width, height);
  const { tiles } = processor.geometry({ width: fitWidth, height: fitHeight });
  return tiles.reduce((sum, { gridRows, gridColumns }) => sum + gridRows * gridColumns, 0);
}
