/** A field of a protobuf message: its number and its value; a nested message is a list of fields. */
export type Field =
  | readonly [number: number, value: number | bigint | string | Uint8Array]
  | readonly [number: number, value: { readonly f32: number }]
  | readonly [number: number, value: readonly Field[]];

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Encodes a message (https://protobuf.dev/programming-guides/encoding): numbers are varints. */
export function encodeMessage(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = encodeFields(fields);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Large values are not copied until the whole message is put together. */
function encodeFields(fields: readonly Field[]): Uint8Array[] {
  return fields.flatMap(([number, value]) => {
    if (typeof value === "number" || typeof value === "bigint") {
      return [key(number, VARINT), varint(BigInt(value))];
    }
    if (typeof value === "object" && "f32" in value) {
      const bytes = new Uint8Array(new Float32Array([value.f32]).buffer);
      return [key(number, FIXED32), bytes];
    }
    const inside = bodyOf(value);
    const length = inside.reduce((sum, part) => sum + part.length, 0);
    return [key(number, BYTES), varint(BigInt(length)), ...inside];
  });
}

function bodyOf(value: string | Uint8Array | readonly Field[]): Uint8Array[] {
  if (typeof value === "string") return [new TextEncoder().encode(value)];
  return value instanceof Uint8Array ? [value] : encodeFields(value);
}

function key(number: number, wire: number): Uint8Array {
  return varint(BigInt(number * 8 + wire));
}

/** Seven bits a byte, the lowest first; negative numbers in two's complement of 64 bits. */
function varint(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
