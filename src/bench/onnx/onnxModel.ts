import { encodeMessage, type Field } from "./protobuf";

/** Numbers of `TensorProto.DataType`. */
const TYPES = { float32: 1, int32: 6, int64: 7, float16: 10 } as const;
type OnnxType = keyof typeof TYPES;

/** `com.microsoft`: operators that ONNX Runtime adds. */
const CONTRIB = "com.microsoft";
const OPSET = 18;
const IR_VERSION = 9;

interface NodeOptions {
  readonly outputs?: readonly string[];
  /** A whole number, or `{ f32 }`. */
  readonly attributes?: Readonly<Record<string, number | { readonly f32: number }>>;
  readonly isContrib?: boolean;
}

/** Builds an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
export class OnnxModel {
  readonly #nodes: Field[] = [];
  readonly #initializers: Field[] = [];
  readonly #inputs: Field[] = [];
  readonly #outputs: Field[] = [];

  /** A constant of the graph; `bytes` are its values. Returns its name. */
  constant(
    name: string,
    type: OnnxType,
    dims: readonly number[],
    bytes: Uint8Array | Float32Array,
  ): string {
    const raw =
      bytes instanceof Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const sizes = dims.map((size): Field => [1, size]);
    this.#initializers.push([5, [...sizes, [2, TYPES[type]], [8, name], [9, raw]]]);
    return name;
  }

  /** A dimension by name may have any size. */
  input(name: string, type: OnnxType, dims: readonly (number | string)[]): string {
    this.#inputs.push([11, valueInfo(name, type, dims)]);
    return name;
  }

  output(name: string, type: OnnxType, dims: readonly (number | string)[]): void {
    this.#outputs.push([12, valueInfo(name, type, dims)]);
  }

  /** Returns the name of its first output, by default its own name. An input or output "" is absent. */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    { outputs = [name], attributes = {}, isContrib = false }: NodeOptions = {},
  ): string {
    this.#nodes.push([
      1,
      [
        ...inputs.map((input): Field => [1, input]),
        ...outputs.map((output): Field => [2, output]),
        [3, name],
        [4, op],
        ...Object.entries(attributes).map(([key, value]): Field => [5, attribute(key, value)]),
        ...(isContrib ? [[7, CONTRIB] as Field] : []),
      ],
    ]);
    return outputs[0] as string;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const graph: Field[] = [
      ...this.#nodes,
      [2, "decoder"],
      ...this.#initializers,
      ...this.#inputs,
      ...this.#outputs,
    ];
    return encodeMessage([
      [1, IR_VERSION],
      [7, graph],
      [
        8,
        [
          [1, ""],
          [2, OPSET],
        ],
      ],
      [
        8,
        [
          [1, CONTRIB],
          [2, 1],
        ],
      ],
    ]);
  }
}

/** `AttributeProto`: a float (type 1) or a whole number (type 2). */
function attribute(name: string, value: number | { readonly f32: number }): readonly Field[] {
  return typeof value === "number"
    ? [
        [1, name],
        [3, value],
        [20, 2],
      ]
    : [
        [1, name],
        [2, value],
        [20, 1],
      ];
}

/** `ValueInfoProto` of a tensor. */
function valueInfo(
  name: string,
  type: OnnxType,
  dims: readonly (number | string)[],
): readonly Field[] {
  const sizes = dims.map((dim): Field => [1, [[typeof dim === "number" ? 1 : 2, dim]]]);
  return [
    [1, name],
    [
      2,
      [
        [
          1,
          [
            [1, TYPES[type]],
            [2, sizes],
          ],
        ],
      ],
    ],
  ];
}
