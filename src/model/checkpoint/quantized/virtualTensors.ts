import { groupedLayout } from "@/gpu/grouped";
import { type GroupedType, groupingOf, rowBytes } from "@/gpu/kernels/common/dtype";
import { roundToF16, unpackBf16, unpackF16 } from "@/gpu/packing";
import { shown } from "@/text/shown";
import { ModelError } from "../../modelError";
import type { JsonObject } from "../files";
import type { TensorInfo, TensorMap } from "../safetensors";
import { dequantizeAffine } from "./affine";

/** A tensor that is made of stored ones while it is read. */
export interface VirtualTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Tensors that it is made of; all have a multiple of `rows` bytes. */
  readonly parts: readonly TensorInfo[];
  /** Rows that can be made one by one. */
  readonly rows: number;
  /** The bytes of some rows from the same rows of every part. */
  make(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>;
}

const SUPPORTED_BITS = [4, 8];
const FLOATS = ["F32", "F16", "BF16"];

/** Whether matrices are stored in MLX's affine format, or convolutions with their channels last. */
export function isMlx(tensors: TensorMap): boolean {
  return [...tensors.values()].some(
    (tensor) => isQuantized(tensor, tensors) || hasChannelsLast(tensor),
  );
}

/**
 * The tensors of an MLX checkpoint, in file order: quantised matrices in rows that the kernels read, or in
 * f16 where there is no kernel for their groups; convolutions with channels before rows and columns, as
 * PyTorch has them; other matrices in f16; all else as stored.
 * @param quantization `quantization` of config.json
 * @throws ModelError for widths that are not supported
 */
export function virtualTensors(
  tensors: TensorMap,
  quantization: JsonObject,
): readonly VirtualTensor[] {
  return [...tensors.values()].flatMap((tensor) => {
    if (isQuantized(tensor, tensors)) return [affine(tensor, tensors, quantization)];
    const [, module, part] = tensor.name.match(/^(.*)\.(scales|biases)$/) ?? [];
    const owner = part && tensors.get(`${module}.weight`);
    if (owner && isQuantized(owner, tensors)) return [];
    if (tensor.shape.length < 2 || !FLOATS.includes(tensor.dtype)) return [stored(tensor)];
    return [hasChannelsLast(tensor) ? channelsFirst(tensor) : narrowed(tensor)];
  });
}

function isQuantized({ name, dtype }: TensorInfo, tensors: TensorMap): boolean {
  if (dtype !== "U32" || !name.endsWith(".weight")) return false;
  const module = name.slice(0, -".weight".length);
  return tensors.has(`${module}.scales`) && tensors.has(`${module}.biases`);
}

/** Kernels are square: their sides are the last two extents unless the channels are behind them. */
function hasChannelsLast({ shape, name }: TensorInfo): boolean {
  return shape.length > 3 && name.endsWith(".weight") && shape.at(-1) !== shape.at(-2);
}

function affine(weight: TensorInfo, tensors: TensorMap, quantization: JsonObject): VirtualTensor {
  const { name } = weight;
  const module = name.slice(0, -".weight".length);
  const scales = tensors.get(`${module}.scales`) as TensorInfo;
  const biases = tensors.get(`${module}.biases`) as TensorInfo;
  const own = quantization[module] as JsonObject | undefined;
  const given = own?.group_size ?? quantization.group_size ?? 64;
  const group = typeof given === "number" ? given : Number.NaN;
  const [rows = 0, words = 0] = weight.shape;
  const columns = (scales.shape[1] ?? 0) * group;
  const bits = (32 * words) / columns;
  checkParts(weight, scales, biases, group);
  if (!SUPPORTED_BITS.includes(bits)) {
    const widths = SUPPORTED_BITS.join(" and ");
    const message = `The tensor ${shown(name)} is quantised to ${shown(bits)} bits; ${widths} are supported.`;
    throw new ModelError("unknownArchitecture", message);
  }
  const shared = { name, shape: [rows, columns], rows, parts: [weight, scales, biases] };
  const type = groupedType(bits, group, scales, biases);
  if (type) {
    const make = (parts: readonly Uint8Array<ArrayBuffer>[]) => joinRows(parts, columns, type);
    return { ...shared, dtype: type, bytes: rows * rowBytes(type, columns), make };
  }
  return {
    ...{ ...shared, dtype: "F16", bytes: 2 * rows * columns },
    make([codes = EMPTY, scale = EMPTY, bias = EMPTY]) {
      const halves = dequantizeAffine({
        codes: new Uint32Array(codes.buffer),
        scales: floatsOf(scale, scales),
        biases: floatsOf(bias, biases),
        group,
        bits,
      });
      return new Uint8Array(halves.buffer);
    },
  };
}

/** The type that the kernels read as it is stored, if there is one. */
function groupedType(
  bits: number,
  group: number,
  scales: TensorInfo,
  biases: TensorInfo,
): GroupedType | undefined {
  const suffix = { F16: "", BF16: "bf16" }[scales.dtype];
  if (suffix === undefined || biases.dtype !== scales.dtype) return undefined;
  const type = `q${bits}g${group}${suffix}` as GroupedType;
  return groupingOf(type) && type;
}

/** Rows of codes, scales and biases as the kernels read them: see `weight_grouped.wgsl`. */
function joinRows(
  [codes = EMPTY, scales = EMPTY, biases = EMPTY]: readonly Uint8Array<ArrayBuffer>[],
  columns: number,
  type: GroupedType,
): Uint8Array<ArrayBuffer> {
  const { words, codeWords, firstScale, groups } = groupedLayout(type, columns);
  const rows = codes.length / (4 * codeWords);
  const joined = new Uint8Array(4 * rows * words);
  const halves = new Uint16Array(joined.buffer);
  const [scale, bias] = [new Uint16Array(scales.buffer), new Uint16Array(biases.buffer)];
  for (let row = 0; row < rows; row++) {
    const from = 4 * row * codeWords;
    joined.set(codes.subarray(from, from + 4 * codeWords), 4 * row * words);
    const pairs = 2 * (row * words + firstScale);
    for (let g = 0; g < groups; g++) {
      halves[pairs + 2 * g] = scale[row * groups + g] as number;
      halves[pairs + 2 * g + 1] = bias[row * groups + g] as number;
    }
  }
  return joined;
}

/** @throws ModelError for scales and biases that are not those of the weight's groups */
function checkParts(weight: TensorInfo, scales: TensorInfo, biases: TensorInfo, group: number) {
  const isMatrix = weight.shape.length === 2 && scales.shape.length === 2;
  const areRows = weight.shape[0] === scales.shape[0] && Number.isInteger(group) && group > 0;
  const areAlike = biases.shape.join() === scales.shape.join();
  const areNumbers = FLOATS.includes(scales.dtype) && FLOATS.includes(biases.dtype);
  if (isMatrix && areRows && areAlike && areNumbers) return;
  const message = `The tensor ${shown(weight.name)} does not fit its scales and biases.`;
  throw new ModelError("badModel", message);
}

function stored(tensor: TensorInfo): VirtualTensor {
  const { name, dtype, shape, start, end } = tensor;
  const make = ([bytes = EMPTY]: readonly Uint8Array<ArrayBuffer>[]) => bytes;
  return { name, dtype, shape, bytes: end - start, parts: [tensor], rows: 1, make };
}

/** A matrix in f16, as all others. */
function narrowed(tensor: TensorInfo): VirtualTensor {
  const { name, shape } = tensor;
  return {
    ...{ name, dtype: "F16", shape, bytes: 2 * product(shape), parts: [tensor] },
    rows: shape[0] as number,
    make: ([bytes = EMPTY]) => new Uint8Array(roundToF16(floatsOf(bytes, tensor)).buffer),
  };
}

/** [out, …, in] as [out, in, …], in f16. */
function channelsFirst(tensor: TensorInfo): VirtualTensor {
  const [out = 0, ...rest] = tensor.shape;
  const channels = rest.at(-1) as number;
  const sides = rest.slice(0, -1);
  const places = product(sides);
  const shape = [out, channels, ...sides];
  return {
    ...{ name: tensor.name, dtype: "F16", shape, bytes: 2 * product(shape), parts: [tensor] },
    rows: out,
    make([bytes = EMPTY]) {
      const values = floatsOf(bytes, tensor);
      const moved = values.map((_, i) => {
        const [kernel, within] = [Math.floor(i / (channels * places)), i % (channels * places)];
        const [channel, place] = [Math.floor(within / places), within % places];
        return values[(kernel * places + place) * channels + channel] as number;
      });
      return new Uint8Array(roundToF16(moved).buffer);
    },
  };
}

const EMPTY = new Uint8Array(0);

function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  { dtype }: TensorInfo,
): Float32Array<ArrayBuffer> {
  if (dtype === "F32") return new Float32Array(bytes.buffer);
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  const floats = dtype === "F16" ? unpackF16(words) : unpackBf16(words);
  return floats.slice(0, bytes.length / 2);
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, extent) => total * extent, 1);
}
