import { type DType, groupingOf, rowBytes } from "@/gpu/kernels/common/dtype";
import type { TensorInfo } from "./safetensors";
import { storedType } from "./weightTypes";

/** A range of a file that is read with one request. */
export interface Read {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Neighbouring tensors are read together up to this size; larger ones in parts of this size. */
const READ_BYTES = 8 * 1024 * 1024;
/** Gap between two tensors below which one read is cheaper than two requests. */
const GAP_BYTES = 64 * 1024;

/** The reads that bring `tensors`, which are in file order. A read holds whole rows of every matrix. */
export function planReads(tensors: readonly TensorInfo[], readBytes = READ_BYTES): readonly Read[] {
  const reads: { file: string; start: number; end: number }[] = [];
  for (const tensor of tensors) {
    const { file, start, end } = tensor;
    const last = reads.at(-1);
    const isNear = last?.file === file && start - last.end <= GAP_BYTES;
    if (last && isNear && end - last.start <= readBytes) {
      last.end = end;
      continue;
    }
    const part = wholeRows(tensor, readBytes);
    for (let at = start; at < end; at += part) {
      reads.push({ file, start: at, end: Math.min(end, at + part) });
    }
  }
  return reads;
}

/** Bytes of whole rows, as many as `limit` holds but at least one; a multiple of 4. */
function wholeRows({ start, end, shape }: TensorInfo, limit: number): number {
  if (shape.length < 2) return limit;
  const row = (end - start) / (shape[0] as number);
  const unit = row % 4 === 0 ? row : 4 * row;
  return unit * Math.max(1, Math.floor(limit / unit));
}

/** A convolution [out, in, height, width] is a matrix [out, in × height × width]. */
export function matrixRows({ shape }: TensorInfo): readonly [rows: number, columns: number] {
  return [shape[0] as number, elements(shape.slice(1))];
}

/** A tensor that becomes a vector: a row per number, so that it may be read in any pieces. */
export function vectorRows(tensor: TensorInfo): readonly [rows: number, columns: number] {
  const isGrouped = groupingOf(storedType(tensor) as DType) !== undefined;
  return isGrouped ? matrixRows(tensor) : [elements(tensor.shape), 1];
}

/** Bytes of a tensor whose matrix is held as `type`; vectors count as they are stored. */
export function bytesAs(tensor: TensorInfo, type: DType): number {
  if (tensor.shape.length < 2) return tensor.end - tensor.start;
  const [rows, columns] = matrixRows(tensor);
  return rows * rowBytes(type, columns);
}

/** Numbers of a tensor. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
