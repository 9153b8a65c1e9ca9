import type { InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import { shown } from "@/text/shown";
import { ModelError } from "../modelError";

/** What a decoder's prompt expects of its vision encoder. */
export interface EncoderShape {
  /** Pixels along a side of a tile. */
  readonly tileSize: number;
  /** Feature rows of one tile. */
  readonly rows: number;
  /** Elements of a feature row: the decoder's hidden size. */
  readonly width: number;
}

/** Metadata of a session, and the name of its file for sentences. */
export interface OnnxInterface {
  readonly name: string;
  readonly inputs: readonly InferenceSession.ValueMetadata[];
  readonly outputs: readonly InferenceSession.ValueMetadata[];
}

/** How a session is called. */
export interface OnnxCall {
  /** `pixel_values` are [1, tiles, 3, height, width] or [tiles, 3, height, width]. */
  readonly rank: 4 | 5;
  readonly hasMask: boolean;
  readonly output: string;
}

const PIXELS = "pixel_values";
const MASK = "pixel_attention_mask";
/** The output that exporters name so. Without it, the only output that may hold the features counts. */
const FEATURES = "image_features";

/** @throws ModelError naming the input or output that does not fit */
export function onnxCall(model: OnnxInterface, shape: EncoderShape): OnnxCall {
  const { name, inputs } = model;
  const other = inputs.find((input) => input.name !== PIXELS && input.name !== MASK);
  if (other) throw bad(name, `needs an input ${shown(other.name)}, which is not known here`);
  const pixels = inputs.find((input) => input.name === PIXELS);
  if (!pixels) throw bad(name, `has no input ${PIXELS}`);
  const mask = inputs.find((input) => input.name === MASK);
  if (mask && !isOf(mask, "bool")) throw bad(name, `takes ${MASK} as ${typeOf(mask)}, not bool`);
  if (!isOf(pixels, "float32"))
    throw bad(name, `takes ${PIXELS} as ${typeOf(pixels)}, not float32`);
  const dims = pixels.shape;
  if (dims.length !== 0 && dims.length !== 4 && dims.length !== 5) {
    throw bad(name, `takes ${PIXELS} of ${dims.length} dimensions`);
  }
  const sides = dims.slice(-2).filter((side) => typeof side === "number" && isKnown(side));
  const side = sides.find((each) => each !== shape.tileSize);
  if (side !== undefined) {
    throw bad(name, `takes tiles of ${side} pixels, but the model's have ${shape.tileSize}`);
  }
  const rank = dims.length === 4 ? 4 : 5;
  return { rank, hasMask: mask !== undefined, output: outputOf(model, shape) };
}

function outputOf({ name, outputs }: OnnxInterface, shape: EncoderShape): string {
  const named = outputs.find((output) => output.name === FEATURES);
  const candidates = named ? [named] : outputs;
  const fitting = candidates.filter((output) => isOf(output, "float32") && mayBe(output, shape));
  if (fitting.length === 1) return (fitting[0] as InferenceSession.ValueMetadata).name;
  const given = candidates.slice(0, 4).map((output) => `${shown(output.name)} (${typeOf(output)})`);
  const wanted = `one output of float32 [tiles, ${shape.rows}, ${shape.width}]`;
  throw bad(name, `gives ${given.join(", ") || "nothing"}, not ${wanted}`);
}

/** Whether the known dimensions of an output allow features; names stand for unknown ones. */
function mayBe(output: InferenceSession.ValueMetadata, { rows, width }: EncoderShape): boolean {
  if (!output.isTensor || output.shape.length === 0) return true;
  const [row, column] = [output.shape.at(-2), output.shape.at(-1)];
  const fits = (given: number | string | undefined, wanted: number) =>
    typeof given !== "number" || !isKnown(given) || given === wanted;
  return fits(column, width) && (output.shape.length !== 3 || fits(row, rows));
}

/** Whether the metadata alone proves the shape of the features, so that no trial is needed. */
export function isProven({ outputs }: OnnxInterface, call: OnnxCall, shape: EncoderShape): boolean {
  const output = outputs.find(({ name }) => name === call.output);
  if (!output?.isTensor || output.shape.length !== 3) return false;
  return output.shape[1] === shape.rows && output.shape[2] === shape.width;
}

/** @throws ModelError if features are not f32 [tiles × rows, width] */
export function checkFeatures(
  name: string,
  { type, dims, size }: Pick<Tensor, "type" | "dims" | "size">,
  tiles: number,
  { rows, width }: EncoderShape,
): void {
  if (type === "float32" && dims.at(-1) === width && size === tiles * rows * width) return;
  const wanted = `float32 [${tiles}, ${rows}, ${width}]`;
  throw bad(name, `gives ${type} [${dims}], where the prompt has ${wanted}`);
}

/** ONNX Runtime writes unknown dimensions as −1, without a sign. */
function isKnown(extent: number): boolean {
  return extent > 0 && extent < 2 ** 31;
}

function isOf(
  value: InferenceSession.ValueMetadata,
  type: Tensor.Type,
): value is InferenceSession.TensorValueMetadata {
  return value.isTensor && value.type === type;
}

function typeOf(value: InferenceSession.ValueMetadata): string {
  if (!value.isTensor) return "no tensor";
  const extents = value.shape.map((extent) =>
    Number(extent) > 0 && isKnown(Number(extent)) ? extent : "?",
  );
  return `${value.type} [${extents.join(", ")}]`;
}

function bad(name: string, what: string): ModelError {
  return new ModelError("badModel", `The model's vision encoder ${name} ${what}.`);
}
