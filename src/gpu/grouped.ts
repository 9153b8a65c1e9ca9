/** Rows of weights in 4 or 8 bits on the CPU, as `weight_grouped.wgsl` reads them. */

import { type GroupedType, type Grouping, groupingOf, rowBytes } from "./kernels/common/dtype";
import { roundToF16, unpackBf16, unpackF16 } from "./packing";

type Floats = Float32Array<ArrayBuffer>;
type Words = Uint32Array<ArrayBuffer>;

/** Where the parts of a row are, in words. */
interface GroupedLayout extends Grouping {
  /** Of a row. */
  readonly words: number;
  readonly codeWords: number;
  /** Of the word of scale and bias of the first group. */
  readonly firstScale: number;
  readonly groups: number;
}

/** Where the parts of a row of `columns` weights are. */
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
  const { words, firstScale, groups } = layout;
  const rows = values.length / columns;
  const pairs = new Uint32Array(roundToF16(fitGroups(values, columns, layout)).buffer);
  const affine = unpackF16(pairs);
  const packed = new Uint32Array(rows * words);
  for (let row = 0; row < rows; row++) {
    const scales = affine.subarray(2 * row * groups, 2 * (row + 1) * groups);
    const of = values.subarray(row * columns, (row + 1) * columns);
    writeCodes(packed.subarray(row * words), of, scales, layout);
    packed.set(pairs.subarray(row * groups, (row + 1) * groups), row * words + firstScale);
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
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * columns;
    for (let first = row * columns; first < rowEnd; first += group) {
      const end = Math.min(first + group, rowEnd);
      let low = values[first] as number;
      let high = low;
      for (let i = first + 1; i < end; i++) {
        const value = values[i] as number;
        if (value < low) low = value;
        else if (value > high) high = value;
      }
      affine[at++] = (high - low) / (2 ** bits - 1);
      affine[at++] = low;
    }
  }
  return affine;
}

/** The codes of one row, a word at a time: a load does this for every weight of a model. */
function writeCodes(
  packed: Words,
  row: Floats,
  scales: Floats,
  { bits, group, groups }: GroupedLayout,
): void {
  const last = 2 ** bits - 1;
  let word = 0;
  let shift = 0;
  let at = 0;
  for (let g = 0; g < groups; g++) {
    const scale = scales[2 * g] as number;
    const inverse = scale === 0 ? 0 : 1 / scale;
    const half = 0.5 - (scales[2 * g + 1] as number) * inverse;
    const end = Math.min((g + 1) * group, row.length);
    for (let column = g * group; column < end; column++) {
      const code = ((row[column] as number) * inverse + half) | 0;
      word |= (code < 0 ? 0 : code > last ? last : code) << shift;
      shift += bits;
      if (shift < 32) continue;
      packed[at++] = word;
      word = 0;
      shift = 0;
    }
  }
  if (shift > 0) packed[at] = word;
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
