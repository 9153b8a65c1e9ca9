import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FloatType } from "@/gpu/kernels/common/dtype";
import { packBf16, packF16 } from "@/gpu/packing";
import { randomFloats } from "@/gpu/selfTest/reference";
import type { TensorInfo } from "./safetensors";
import { WeightCheck } from "./weightCheck";

type Floats = Float32Array<ArrayBuffer>;

const bytesOf = (data: Floats | Uint32Array<ArrayBuffer>) => new Uint8Array(data.buffer);
const PACK: Readonly<Record<FloatType, (values: Floats) => Uint8Array<ArrayBuffer>>> = {
  f32: bytesOf,
  f16: (values) => bytesOf(packF16(values)),
  bf16: (values) => bytesOf(packBf16(values)),
};
const DTYPES = ["f32", "f16", "bf16"] as const;

/** Looks at a tensor in pieces of 64 bytes. */
function check(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: FloatType,
  name = "layers.0.weight",
  shape = [64, 32],
) {
  const tensor: TensorInfo = {
    name,
    file: "f",
    dtype: dtype.toUpperCase(),
    shape,
    start: 0,
    end: 0,
  };
  const checking = new WeightCheck();
  checking.look(tensor, dtype, bytes.slice(0, 4096));
  for (let at = 4096; at < bytes.length; at += 64) {
    checking.look(tensor, dtype, bytes.slice(at, at + 64));
  }
  return checking.end();
}

/** Weights as they are trained: around 0, of a deviation of 0.02. */
const weights = (): Floats => randomFloats(2048, 7).map((value) => value * 0.02);

describe.each(DTYPES)("weights of %s", (dtype) => {
  it("may be small, sparse or of a norm", () => {
    check(PACK[dtype](weights()), dtype);
    check(PACK[dtype](weights().map((value, i) => (i % 9 ? 0 : value * 1e-3))), dtype);
    check(PACK[dtype](new Float32Array(64).fill(1)), dtype, "norm.weight", [64]);
    check(PACK[dtype](new Float32Array(64)), dtype, "q_proj.bias", [64]);
  });

  it("are refused where one of them is no number, even in the last place", () => {
    const bits = { f32: [0x7fc00000, 0xff800000], f16: [0x7e000000, 0xfc000000] };
    for (const bad of dtype === "f16" ? bits.f16 : bits.f32) {
      const words = new Uint32Array(PACK[dtype](weights()).buffer.slice(0));
      words[words.length - 1] = bad;
      expect(() => check(bytesOf(words), dtype)).toThrow(/layers.0.weight holds infinite values/);
      if (dtype === "f32") continue;
      words[words.length - 1] = bad >>> 16;
      expect(() => check(bytesOf(words), dtype)).toThrow(/holds infinite values/);
    }
  });

  it("are refused where all are zeros of either sign, but not where one is not", () => {
    const zeros = new Float32Array(2048).map((_, i) => (i % 2 ? 0 : -0));
    expect(() => check(PACK[dtype](zeros), dtype)).toThrow("layers.0.weight holds only zeros");
    expect(() => check(PACK[dtype](zeros.slice(0, 64)), dtype, "norm.weight", [64])).toThrow(
      "zeros",
    );
    zeros[2047] = 0.5;
    check(PACK[dtype](zeros), dtype);
  });
});

it.each([
  ["f16", "bf16"],
  ["bf16", "f16"],
] as const)("a type of %s is refused for %s data", (claimed, real) => {
  for (const scale of [0.05, 1, 5]) {
    const values = weights().map((value) => value * scale);
    expect(() => check(PACK[real](values), claimed)).toThrow(
      `The tensor layers.0.weight is not stored as ${claimed.toUpperCase()}, as its file says.`,
    );
  }
});

it("whole numbers are no f32 weights", () => {
  const counts = Uint32Array.from({ length: 2048 }, (_, i) => i % 200);
  expect(() => check(bytesOf(counts), "f32")).toThrow("is not stored as F32");
});

it("weights have a digest of their names and values, however they are read", () => {
  const digestOf = (values: Floats, name?: string) => check(bytesOf(values), "f32", name);
  const expected = createHash("sha256").update("layers.0.weight\0").update(bytesOf(weights()));
  expect(digestOf(weights())).toBe(expected.digest("hex"));
  const changed = weights();
  changed[2000]! *= 1.001;
  expect(digestOf(changed)).not.toBe(digestOf(weights()));
  expect(digestOf(weights(), "layers.1.weight")).not.toBe(digestOf(weights()));
});
