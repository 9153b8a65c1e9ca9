import { describe, expect, it } from "vitest";
import { checkFeatures, isProven, type OnnxInterface, onnxCall } from "./onnxContract";

const SHAPE = { tileSize: 64, rows: 16, width: 48 };
type Dims = readonly (number | string)[];
type Type = "float32" | "float16" | "bool" | "int64";

const value = (name: string, type: Type, shape: Dims) =>
  ({ name, isTensor: true, type, shape }) as const;
const pixels = value("pixel_values", "float32", ["batch", "images", 3, 64, 64]);
const mask = value("pixel_attention_mask", "bool", ["batch", "images", 64, 64]);
const features = value("image_features", "float32", ["tiles", 16, 48]);
const file = (
  inputs: OnnxInterface["inputs"] = [pixels, mask],
  outputs: OnnxInterface["outputs"] = [features],
): OnnxInterface => ({ name: "onnx/vision_encoder.onnx", inputs, outputs });

describe("an ONNX encoder's inputs", () => {
  it("are those of an export with or without a mask, batched or not", () => {
    expect(onnxCall(file(), SHAPE)).toEqual({ rank: 5, hasMask: true, output: "image_features" });
    expect(onnxCall(file([pixels]), SHAPE).hasMask).toBe(false);
    const flat = value("pixel_values", "float32", ["tiles", 3, "height", "width"]);
    expect(onnxCall(file([flat]), SHAPE).rank).toBe(4);
    expect(onnxCall(file([value("pixel_values", "float32", [])]), SHAPE).rank).toBe(5);
  });

  it.each([
    [[], "has no input pixel_values"],
    [[pixels, value("image_sizes", "int64", [2])], "needs an input image_sizes"],
    [[value("pixel_values", "float16", [1, 1, 3, 64, 64])], "takes pixel_values as float16"],
    [[pixels, value("pixel_attention_mask", "int64", [])], "takes pixel_attention_mask as int64"],
    [[value("pixel_values", "float32", ["b", "n", 3, 32, 32])], "takes tiles of 32 pixels"],
    [[value("pixel_values", "float32", ["b", 3])], "of 2 dimensions"],
  ])("are refused by name otherwise: %j", (inputs, words) => {
    expect(() => onnxCall(file(inputs), SHAPE)).toThrow(
      expect.objectContaining({ code: "badModel", message: expect.stringContaining(words) }),
    );
  });
});

describe("an ONNX encoder's output", () => {
  const outputOf = (...outputs: OnnxInterface["outputs"]) =>
    onnxCall(file([pixels], outputs), SHAPE).output;

  it("is taken by its name, else by what can be features", () => {
    const pooled = value("pooled", "float32", ["tiles", 48]);
    expect(outputOf(value("pooled", "float32", []), features)).toBe("image_features");
    expect(outputOf(value("out", "float32", ["tiles", "rows", 48]))).toBe("out");
    expect(outputOf(value("out", "float32", [2 ** 32 - 1, 2 ** 32 - 1, 48]))).toBe("out");
    expect(
      outputOf(value("hidden", "float32", ["tiles", 16, 32]), { ...features, name: "x" }),
    ).toBe("x");
    expect(() => outputOf(pooled, { ...features, name: "x" })).toThrow("pooled (float32 [?, 48])");
  });

  it.each([
    [[value("image_features", "float16", ["tiles", 16, 48])], "image_features (float16"],
    [
      [value("image_features", "float32", ["tiles", 16, 32])],
      "not one output of float32 [tiles, 16, 48]",
    ],
    [[value("image_features", "float32", ["tiles", 25, 48])], "float32 [?, 25, 48]"],
    [[], "gives nothing"],
    [[{ name: "sequence", isTensor: false as const }], "sequence (no tensor)"],
  ])("is refused by name otherwise: %j", (outputs, words) => {
    expect(() => outputOf(...outputs)).toThrow(words);
  });

  it("needs a trial unless its shape is known", () => {
    const proven = (dims: Dims) => {
      const model = file([pixels], [value("image_features", "float32", dims)]);
      return isProven(model, onnxCall(model, SHAPE), SHAPE);
    };
    expect(proven(["tiles", 16, 48])).toBe(true);
    expect(proven(["tiles", "rows", 48])).toBe(false);
    expect(proven([])).toBe(false);
  });

  it("has the rows of the prompt, in whatever shape", () => {
    const check = (dims: readonly number[], type: "float32" | "float16" = "float32") =>
      checkFeatures("onnx/e.onnx", { type, dims, size: dims.reduce((a, b) => a * b, 1) }, 5, SHAPE);
    for (const dims of [
      [5, 16, 48],
      [80, 48],
      [1, 80, 48],
    ])
      check(dims);
    for (const dims of [[5, 48], [5, 25, 48], [5, 16, 32], [5, 48, 16], [48], []]) {
      expect(() => check(dims), String(dims)).toThrow("where the prompt has float32 [5, 16, 48]");
    }
    expect(() => check([5, 16, 48], "float16")).toThrow("gives float16 [5,16,48]");
  });
});
