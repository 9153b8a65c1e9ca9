import { dequantizeRows, quantizeRows } from "@/gpu/grouped";
import { type DType, type GroupedType, groupingOf } from "@/gpu/kernels/common/dtype";
import { roundToF16, unpackBf16, unpackF16 } from "@/gpu/packing";

type Bytes = Uint8Array<ArrayBuffer>;

/** Rows of `columns` weights, stored as `from`, as `to` stores them. */
export function convertRows(bytes: Bytes, columns: number, from: DType, to: DType): Bytes {
  if (from === to) return bytes;
  const values = toFloats(bytes, columns, from);
  if (to === "f32") return bytesOf(values);
  if (to === "f16") return bytesOf(roundToF16(values));
  if (to === "bf16") throw new RangeError(`${from} weights as bf16`);
  return bytesOf(quantizeRows(values, columns, to));
}

/** Rows of stored weights as f32. */
function toFloats(bytes: Bytes, columns: number, type: DType): Float32Array<ArrayBuffer> {
  if (type === "f32") return new Float32Array(bytes.slice().buffer);
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  if (groupingOf(type)) return dequantizeRows(words, columns, type as GroupedType);
  const floats = type === "f16" ? unpackF16(words) : unpackBf16(words);
  return floats.subarray(0, bytes.length / 2);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Bytes {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
