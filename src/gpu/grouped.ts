/** Rows of weights in 4 or 8 bits on the CPU, as `weight_grouped.wgsl` reads them. */

import { type GroupedType, type Grouping, groupingOf, rowBytes } from "./kernels/common/dtype";
import { roundToF16, unpackBf16, unpackF16 } from "./packing";

type Floats = Float32Array<ArrayBuffer>;
type Words = Uint32Array<ArrayBuffer>;

/** Where the parts of a row are, in words. */
export interface GroupedLayout extends Grouping {
  /** Of a row. */
  readonly words: number;
  readonly codeWords: number;
  /** Of the word of scale and bias of the first group. */
  readonly firstScale: number;
  readonly groups: number;
}

export function groupedLayout(type: GroupedType, columns: number): GroupedLayout {
  const grouping = groupingOf(type) as Grouping;
  const codeWords = Math.ceil((columns * grouping.bits) / 32);
  return {
    ...grouping,
    words: rowBytes(type, columns) / 4,
    codeWords,
    firstScale: 4 * Math.ceil(codeWords / 4),
    groups: Math.ceil(columns / grouping.group),
  };
}

/**
 * Rounds rows of `columns` weights to the nearest code of their group; code 0 is the group's smallest
 * weight, the last code its largest (https://arxiv.org/abs/1712.05877, eq. 1, with a real number in the place
 * of the zero point). Scales are f16.
 */
export function quantizeRows(values: Floats, columns: number, type: GroupedType): Words {
  const layout = groupedLayout(type, columns);
  const { bits, group, words, firstScale, groups } = layout;
  const rows = values.length / columns;
  const halves = roundToF16(fitGroups(values, columns, layout));
  const pairs = new Uint32Array(halves.buffer);
  const affine = unpackF16(pairs);
  const packed = new Uint32Array(rows * words);
  const last = 2 ** bits - 1;
  for (let row = 0; row < rows; row++) {
    packed.set(pairs.subarray(row * groups, (row + 1) * groups), row * words + firstScale);
    for (let column = 0; column < columns; column++) {
      const at = 2 * (row * groups + Math.floor(column / group));
      const [scale, bias] = [affine[at] as number, affine[at + 1] as number];
      const steps = scale === 0 ? 0 : ((values[row * columns + column] as number) - bias) / scale;
      const code = Math.min(last, Math.max(0, Math.round(steps)));
      const bit = column * bits;
      packed[row * words + (bit >> 5)]! |= code << (bit & 31);
    }
  }
  return packed;
}

/** Scale and bias of every group: [rows, groups, 2]. */
function fitGroups(
  values: Floats,
  columns: number,
  { bits, group, groups }: GroupedLayout,
): Floats {
  const rows = values.length / columns;
  const affine = new Float32Array(rows * groups * 2);
  for (let at = 0; at < affine.length / 2; at++) {
    const first = Math.floor(at / groups) * columns + (at % groups) * group;
    const end = Math.min(first + group, (Math.floor(at / groups) + 1) * columns);
    let [low, high] = [Infinity, -Infinity];
    for (let i = first; i < end; i++) {
      const value = values[i] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    affine[2 * at] = (high - low) / (2 ** bits - 1);
    affine[2 * at + 1] = low;
  }
  return affine;
}

/** The weights of rows: code × scale + bias. */
export function dequantizeRows(packed: Words, columns: number, type: GroupedType): Floats {
  const { bits, group, words, firstScale, scales } = groupedLayout(type, columns);
  const rows = packed.length / words;
  const values = new Float32Array(rows * columns);
  const unpack = scales === "f16" ? unpackF16 : unpackBf16;
  for (let row = 0; row < rows; row++) {
    const affine = unpack(packed.slice(row * words + firstScale, (row + 1) * words));
    for (let column = 0; column < columns; column++) {
      const bit = column * bits;
      const code = ((packed[row * words + (bit >> 5)] as number) >>> (bit & 31)) & (2 ** bits - 1);
      const at = 2 * Math.floor(column / group);
      values[row * columns + column] = code * (affine[at] as number) + (affine[at + 1] as number);
    }
  }
  return values;
}
