import { packF16, roundToF16, unpackF16 } from "../../packing";
import { KV_BLOCK, type KvType, kvGroups, kvRowBytes, Q4_GROUP } from "./kvType";

/** The layout of `kv_grouped.wgsl` on the CPU. */

type Floats = Float32Array<ArrayBuffer>;
type Words = Uint32Array<ArrayBuffer>;

/** Where the words of a row are. */
interface RowPlace {
  readonly codes: number;
  readonly ranges: number;
}

/**
 * @param values [rows, headDim]
 * @returns the rows; in a cache of codes, in as many whole blocks as hold them
 */
export function storeKvRows(values: Floats, headDim: number, kvType: KvType): Words {
  if (kvType === "f32") return new Uint32Array(values.slice().buffer);
  if (kvType === "f16") return packF16(values);
  const rows = values.length / headDim;
  const stored = Math.ceil(rows / KV_BLOCK) * KV_BLOCK;
  const words = new Uint32Array((stored * kvRowBytes(kvType, headDim)) / 4);
  const { bits, group, levels } = codesOf(kvType, headDim);
  for (let row = 0; row < rows; row++) {
    const { codes, ranges } = placeOf(row, headDim, kvType);
    for (let first = 0; first < headDim; first += group) {
      const part = values.subarray(
        row * headDim + first,
        row * headDim + Math.min(first + group, headDim),
      );
      const low = half(part.reduce((a, b) => Math.min(a, b)));
      const width = half(part.reduce((a, b) => Math.max(a, b)) - low);
      const [lowBits, widthBits] = roundToF16(Float32Array.of(low, width)) as unknown as [
        number,
        number,
      ];
      words[ranges + first / group] = widthBits | (lowBits << 16);
      for (const [i, value] of part.entries()) {
        const code = width > 0 ? Math.floor(((value - low) * levels) / width + 0.5) : 0;
        const at = first + i;
        words[codes + Math.floor((at * bits) / 32)]! |=
          Math.min(Math.max(code, 0), levels) << ((at * bits) % 32);
      }
    }
  }
  return words;
}

/** @returns [rows, headDim] */
export function loadKvRows(words: Words, headDim: number, kvType: KvType): Floats {
  if (kvType === "f32") return new Float32Array(words.buffer, words.byteOffset, words.length);
  if (kvType === "f16") return unpackF16(words);
  const rows = (words.length * 4) / kvRowBytes(kvType, headDim);
  const { bits, group, levels } = codesOf(kvType, headDim);
  const pairs = unpackF16(words);
  const values = new Float32Array(rows * headDim);
  for (let row = 0; row < rows; row++) {
    const { codes, ranges } = placeOf(row, headDim, kvType);
    for (let at = 0; at < headDim; at++) {
      const range = 2 * (ranges + Math.floor(at / group));
      const word = words[codes + Math.floor((at * bits) / 32)] as number;
      const code = (word >>> ((at * bits) % 32)) & levels;
      values[row * headDim + at] =
        (pairs[range + 1] as number) + (code / levels) * (pairs[range] as number);
    }
  }
  return values;
}

function codesOf(kvType: "q8" | "q4", headDim: number) {
  return kvType === "q4"
    ? { bits: 4, group: Q4_GROUP, levels: 15 }
    : { bits: 8, group: headDim, levels: 255 };
}

/** First words of a row's codes and of its ranges; they are followed by the row's others. */
export function placeOf(row: number, headDim: number, kvType: "q8" | "q4"): RowPlace {
  const groups = kvGroups(kvType, headDim);
  const rowWords = kvRowBytes(kvType, headDim) / 4;
  const block = row - (row % KV_BLOCK);
  const codes = rowWords - groups;
  return {
    codes: block * rowWords + (row % KV_BLOCK) * codes,
    ranges: block * rowWords + KV_BLOCK * codes + (row % KV_BLOCK) * groups,
  };
}

/** The nearest f16, within its range. */
function half(value: number): number {
  const finite = Math.min(Math.max(value, -65504), 65504);
  return unpackF16(Uint32Array.of(roundToF16(Float32Array.of(finite))[0] as number))[0] as number;
}
