import { type DType, type FloatType, groupingOf } from "@/gpu/kernels/common/dtype";
import type { TensorInfo, TensorMap } from "./safetensors";

/** What a load makes of 16- and 32-bit weights. `narrow`: f16 of those in 32 bits, all others as stored. */
export type WeightType = "narrow" | "f16" | "q8" | "q4";

export interface NarrowOption {
  /** Whether matrices of 32 bits are held in f16; default: as stored. */
  readonly narrows?: boolean;
}

/** How a matrix is held on the GPU, by its name and how it is stored. */
export type TypeOf = (name: string, stored: DType) => DType;

const FLOATS: Readonly<Record<string, FloatType>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** How a tensor's numbers are stored; undefined: not in a way that can be read. */
export function storedType({ dtype }: TensorInfo): DType | undefined {
  if (Object.hasOwn(FLOATS, dtype)) return FLOATS[dtype];
  return groupingOf(dtype as DType) && (dtype as DType);
}

/**
 * The decoder's matrices under `weightType`; undefined: as stored. Weights that are stored in 8 or 4 bits stay
 * so, unless f16 is asked for. 8 bits have a scale per 64 columns, 4 bits one per 32: 8.5 and 5 bits
 * a weight. Embedding and head never have fewer than 8 bits: an error there is one of every logit.
 */
export function decoderTypes(weightType: WeightType | undefined): TypeOf {
  return (name, stored) => {
    const isFloat = stored === "f32" || stored === "f16" || stored === "bf16";
    if (weightType === "f16") return stored === "bf16" ? "bf16" : "f16";
    if (weightType === "narrow") return stored === "f32" ? "f16" : stored;
    if (weightType === undefined || !isFloat) return stored;
    return weightType === "q8" || isEmbedding(name) ? "q8g64" : "q4g32";
  };
}

function isEmbedding(name: string): boolean {
  return name.endsWith("embed_tokens.weight") || name.endsWith("lm_head.weight");
}

/** One type for all matrices of `expected`, because their kernels are compiled for one. */
export function uniformType(
  tensors: TensorMap,
  expected: readonly (readonly [name: string, ...unknown[]])[],
  { narrows = false }: NarrowOption = {},
): TypeOf {
  const found = expected.map(([name]) => tensors.get(name));
  const matrices = found.filter((tensor) => tensor !== undefined);
  const types = matrices.filter(({ shape }) => shape.length > 1).map(storedType);
  const common = commonType(types.filter((type) => type !== undefined));
  const held = narrows && common === "f32" ? "f16" : common;
  return () => held;
}

/** The type of all of them, or the smallest that holds all their numbers. */
export function commonType(types: readonly DType[]): DType {
  const [first = "f32"] = types;
  if (types.every((type) => type === first)) return first;
  return types.every((type) => type === "f16" || groupingOf(type)) ? "f16" : "f32";
}
