/** 16-bit floats on the CPU, two to a u32 word as `unpack2x16float` reads them. */

type Floats = Float32Array<ArrayBuffer>;

/** Rounds to bf16 and returns the upper halves of the f32 bits, two per word. */
export function packBf16(values: Floats): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer);
  const upper = (at: number) => ((bits[at] as number) + 0x8000) >>> 16;
  return Uint32Array.from({ length: values.length / 2 }, (_, at) => {
    return (upper(2 * at) | (upper(2 * at + 1) << 16)) >>> 0;
  });
}

/** Unpacks the output of `packBf16`. */
export function unpackBf16(words: Uint32Array): Floats {
  const bits = new Uint32Array(words.length * 2);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    bits[2 * at] = word << 16;
    bits[2 * at + 1] = word & 0xffff_0000;
  }
  return new Float32Array(bits.buffer);
}

/** `roundToF16`, two per word. @param values an even number of them */
export function packF16(values: Floats): Uint32Array<ArrayBuffer> {
  return new Uint32Array(roundToF16(values).buffer);
}

/** The f16 numbers nearest to `values`, ties to even; beyond f16's range infinity. */
export function roundToF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < halves.length; i++) {
    const word = bits[i] as number;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fff_ffff;
    if (magnitude < 0x3880_0000) halves[i] = sign | roundedSmall(magnitude);
    else if (magnitude >= 0x477f_f000)
      halves[i] = sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
    else halves[i] = sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return halves;
}

const SMALL = new Float32Array(1);
const SMALL_BITS = new Uint32Array(SMALL.buffer);

/** f16 bits of a number below 2⁻¹⁴, from its f32 bits: at ½, f32 has steps of f16's smallest number. */
function roundedSmall(bits: number): number {
  SMALL_BITS[0] = bits;
  SMALL[0] = (SMALL[0] as number) + 0.5;
  return (SMALL_BITS[0] as number) - 0x3f00_0000;
}

/** Unpacks the output of `packF16`. */
export function unpackF16(words: Uint32Array): Floats {
  halfValues ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfValue(bits));
  const values = new Float32Array(words.length * 2);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    values[2 * at] = halfValues[word & 0xffff] as number;
    values[2 * at + 1] = halfValues[word >>> 16] as number;
  }
  return values;
}

/** The number of every f16 bit pattern. */
let halfValues: Floats | undefined;

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
