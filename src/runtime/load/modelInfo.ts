import { type DType, type FloatType, groupingOf } from "@/gpu/kernels/common/dtype";
import { kvRowBytes } from "@/gpu/kernels/kv/kvType";
import type { Decoder } from "@/model/decoder/decoder";
import { transformers } from "@/model/prompt/transformers";
import { ort } from "@/model/vision/ort";
import type { AdapterInfo, LoadRequest, ModelCard, ModelInfo } from "@/protocol/model";
import { version } from "../../../package.json";

/** What a loaded model is described by. */
interface LoadedParts {
  readonly request: LoadRequest;
  readonly decoder: Decoder;
  readonly adapter: AdapterInfo;
  /** Bytes read besides the decoder's weights. */
  readonly otherBytes: number;
  readonly rowsPerTile: number | undefined;
  readonly card: ModelCard | undefined;
}

/** The description of a loaded model for the page. */
export function describeModel({
  request: { baseUrl, revision },
  decoder: { config, weights, kvType },
  adapter,
  otherBytes,
  rowsPerTile,
  card,
}: LoadedParts): Omit<ModelInfo, "loadMs" | "loadPeakBytes"> {
  const { layers, heads, kvHeads, headDim, contextLength } = config;
  return {
    id: modelName(baseUrl),
    parameters: weights.parameters,
    bytes: weights.bytes + otherBytes,
    elementType: elementTypeOf(weights.dtype),
    kvType,
    ...{ layers, heads, kvHeads, headDim, contextLength },
    ...(rowsPerTile === undefined ? {} : { rowsPerTile }),
    ...(card === undefined ? {} : { card }),
    bytesPerRow: 2 * layers * kvHeads * kvRowBytes(kvType, headDim),
    adapter,
    versions: {
      keepsight: version,
      weights: weightsIdentity(revision, weights),
      "@huggingface/transformers": transformers.env.version,
      "onnxruntime-web": ort.env.versions.web ?? ort.env.versions.common,
    },
  };
}

/** By the Hub's commit, else by the decoder's tensors. */
export function weightsIdentity(
  revision: string | undefined,
  { digest }: Pick<Decoder["weights"], "digest">,
): string {
  return revision === undefined ? `sha256:${digest}` : `commit:${revision}`;
}

function elementTypeOf(dtype: DType): ModelInfo["elementType"] {
  const grouping = groupingOf(dtype);
  return grouping ? `q${grouping.bits}` : (dtype as FloatType);
}

/** Name of a model's folder, from its URL. */
export function modelName(baseUrl: string): string {
  const name = new URL(baseUrl).pathname.split("/").filter(Boolean).at(-1) ?? baseUrl;
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a percent sign that encodes nothing
  }
}
