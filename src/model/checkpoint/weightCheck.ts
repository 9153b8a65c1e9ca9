import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { groupedLayout } from "@/gpu/grouped";
import {
  type DType,
  type FloatType,
  type GroupedType,
  groupingOf,
} from "@/gpu/kernels/common/dtype";
import { unpackBf16, unpackF16 } from "@/gpu/packing";
import { ModelError } from "../modelError";
import type { TensorInfo, TensorMap } from "./safetensors";

/** Bits of an exponent: all set stands for infinity or no number. Two 16-bit numbers share a word. */
const EXPONENTS: Readonly<Record<FloatType, readonly number[]>> = {
  f32: [0x7f800000],
  f16: [0x7c00, 0x7c000000],
  bf16: [0x7f80, 0x7f800000],
};
/** All bits but the signs. */
const MAGNITUDES: Readonly<Record<FloatType, number>> = {
  f32: 0x7fffffff,
  f16: 0x7fff7fff,
  bf16: 0x7fff7fff,
};

/** Words of a matrix, spread over it, that tell whether its data type is plausible. */
const SAMPLE = 2048;
const ENOUGH = 64;
/** A median below this is that of other numbers, read as this type: f16 weights as bf16, integers. */
const TINY = 2 ** -30;
/** bf16 numbers between 2⁻²³ and 2 that are read as f16 lie between ¼ and 2. */
const SHIFTED_SHARE = 0.99;

/**
 * Before a list of every layer's tensors is made: a configuration may name any number.
 * @throws ModelError if there are more layers than tensors
 */
export function checkLayerCount(layers: number, { size }: TensorMap): void {
  if (layers <= size) return;
  const message = `The model's config.json names ${layers} layers, but its weights are ${size} tensors.`;
  throw new ModelError("badModel", message);
}

/**
 * Sees all weights once: refuses, by name, tensors whose numbers cannot be those of a trained model, and
 * computes the digest that identifies the weights.
 */
export class WeightCheck {
  readonly #digest = sha256.create();
  /** Weights of which only zeros have been seen. */
  readonly #zero = new Set<TensorInfo>();
  readonly #seen = new Set<TensorInfo>();

  /**
   * @param piece bytes of a tensor, from a multiple of 4 on, of a matrix whole rows; pieces come in the
   * order of the files
   * @throws ModelError for infinities, values that are no number, and a data type that cannot be right
   */
  look(tensor: TensorInfo, stored: DType, piece: Uint8Array<ArrayBuffer>): void {
    if (!this.#seen.has(tensor)) this.#digest.update(utf8ToBytes(`${tensor.name}\0`));
    this.#digest.update(piece);
    const grouping = groupingOf(stored);
    const dtype = grouping?.scales ?? (stored as FloatType);
    const words = grouping
      ? scalesOf(wordsOf(piece), tensor, stored as GroupedType)
      : wordsOf(piece);
    if (!areFinite(words, EXPONENTS[dtype])) {
      throw bad(tensor, "holds infinite values, or values that are no numbers");
    }
    const isFirst = !this.#seen.has(tensor);
    this.#seen.add(tensor);
    if (!tensor.name.endsWith(".weight")) return;
    const hasValues = words.some((word) => (word & MAGNITUDES[dtype]) !== 0);
    if (isFirst) {
      if (!hasValues) this.#zero.add(tensor);
      if (tensor.shape.length > 1 && !grouping) checkType(tensor, dtype, words);
    } else if (hasValues) this.#zero.delete(tensor);
  }

  /**
   * @returns SHA-256 of every tensor's name, a zero byte and its values, in hexadecimal
   * @throws ModelError if a weight was all zeros
   */
  end(): string {
    for (const tensor of this.#zero) throw bad(tensor, "holds only zeros");
    return bytesToHex(this.#digest.digest());
  }
}

function wordsOf({
  buffer,
  byteOffset,
  length,
}: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  if (length % 4 === 0 && byteOffset % 4 === 0) {
    return new Uint32Array(buffer, byteOffset, length / 4);
  }
  const words = new Uint32Array(Math.ceil(length / 4));
  new Uint8Array(words.buffer).set(new Uint8Array(buffer, byteOffset, length));
  return words;
}

/** Scales and biases of rows in 8 or 4 bits; codes can be any. */
function scalesOf(
  words: Uint32Array<ArrayBuffer>,
  { shape }: TensorInfo,
  type: GroupedType,
): Uint32Array<ArrayBuffer> {
  const { words: rowWords, firstScale } = groupedLayout(type, shape[1] ?? 1);
  return words.filter((_, at) => at % rowWords >= firstScale);
}

function areFinite(words: Uint32Array, exponents: readonly number[]): boolean {
  const [low = 0, high = low] = exponents;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    if ((word & low) === low || (word & high) === high) return false;
  }
  return true;
}

/** A header may name a type of the right size that is not the data's. */
function checkType(tensor: TensorInfo, dtype: FloatType, words: Uint32Array<ArrayBuffer>): void {
  const stride = Math.ceil(words.length / SAMPLE);
  const sample = words.filter((_, at) => at % stride === 0);
  const values = magnitudes(sample, dtype).filter((value) => value !== 0);
  if (values.length < ENOUGH) return;
  const share = (is: (value: number) => boolean) => values.filter(is).length / values.length;
  const isTiny = share((value) => value < TINY) > 0.5;
  const isShifted = dtype === "f16" && share((v) => v >= 0.25 && v < 2) > SHIFTED_SHARE;
  if (isTiny || isShifted) throw bad(tensor, `is not stored as ${tensor.dtype}, as its file says`);
}

function magnitudes(bits: Uint32Array<ArrayBuffer>, dtype: FloatType): readonly number[] {
  const floats =
    dtype === "f32"
      ? new Float32Array(bits.buffer)
      : dtype === "f16"
        ? unpackF16(bits)
        : unpackBf16(bits);
  return Array.from(floats, Math.abs);
}

function bad({ name }: TensorInfo, what: string): ModelError {
  return new ModelError("badModel", `The tensor ${name} ${what}.`);
}
