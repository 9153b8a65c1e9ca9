/** A field of a Protocol Buffers message (https://protobuf.dev/programming-guides/encoding). */
interface Field {
  readonly number: number;
  /** A number, or the bytes of a string or of a message. */
  readonly value: bigint | Uint8Array<ArrayBuffer> | string | readonly Field[];
}

// Numbers of fields in onnx.proto3.
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, output: 12 };
const NODE = { input: 1, output: 2, name: 3, kind: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, integer: 3, type: 20 };
const VALUE = { name: 1, type: 2 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 };
export const ELEMENT = { float32: 1, float16: 10 } as const;

/** The graph of an ONNX file, to change and write again. */
export class OnnxGraph {
  readonly #model: readonly Field[];
  #graph: Field[];

  constructor(file: Uint8Array<ArrayBuffer>) {
    this.#model = fieldsOf(file);
    const graph = this.#model.find(({ number }) => number === MODEL.graph);
    this.#graph = fieldsOf(graph?.value as Uint8Array<ArrayBuffer>);
  }

  /** Adds a node with one output. @param attributes whole numbers */
  node(
    kind: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, number>> = {},
  ): this {
    const INTEGER = 2n;
    const written = Object.entries(attributes).map(([name, integer]) => [
      { number: ATTRIBUTE.name, value: name },
      { number: ATTRIBUTE.integer, value: BigInt(integer) },
      { number: ATTRIBUTE.type, value: INTEGER },
    ]);
    return this.#add(GRAPH.node, [
      ...inputs.map((value) => ({ number: NODE.input, value })),
      { number: NODE.output, value: output },
      { number: NODE.name, value: `${kind} ${output}` },
      { number: NODE.kind, value: kind },
      ...written.map((value) => ({ number: NODE.attribute, value })),
    ]);
  }

  /** A list of whole numbers, which nodes take as an input. */
  numbers(name: string, values: readonly number[]): this {
    const INT64 = 7n;
    return this.#add(GRAPH.initializer, [
      { number: TENSOR.dims, value: BigInt(values.length) },
      { number: TENSOR.type, value: INT64 },
      { number: TENSOR.name, value: name },
      { number: TENSOR.raw, value: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer) },
    ]);
  }

  /** Replaces the outputs of the graph; their shapes are not told. */
  outputs(outputs: Readonly<Record<string, number>>): this {
    this.#graph = this.#graph.filter(({ number }) => number !== GRAPH.output);
    for (const [name, type] of Object.entries(outputs)) {
      const tensor = [{ number: 1, value: BigInt(type) }];
      const value = [
        { number: VALUE.name, value: name },
        { number: VALUE.type, value: [{ number: 1, value: tensor }] },
      ];
      this.#add(GRAPH.output, value);
    }
    return this;
  }

  /** Declares that large weights are in another file. */
  external(file: string): this {
    const [LARGE, EXTERNAL] = [256, 1n];
    this.#graph = this.#graph.map((field) => {
      if (field.number !== GRAPH.initializer) return field;
      const tensor = fieldsOf(field.value as Uint8Array<ArrayBuffer>);
      const raw = tensor.find(({ number }) => number === TENSOR.raw)?.value;
      if (!(raw instanceof Uint8Array) || raw.length < LARGE) return field;
      const entry = [
        { number: 1, value: "location" },
        { number: 2, value: file },
      ];
      const value: Field[] = [
        ...tensor.filter(({ number }) => number !== TENSOR.raw),
        { number: TENSOR.external, value: entry },
        { number: TENSOR.location, value: EXTERNAL },
      ];
      return { ...field, value };
    });
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const graph = { number: MODEL.graph, value: this.#graph };
    return bytesOf(this.#model.map((field) => (field.number === MODEL.graph ? graph : field)));
  }

  #add(number: number, value: readonly Field[]): this {
    this.#graph.push({ number, value });
    return this;
  }
}

/** @throws for the wire types that ONNX files do not have at these places */
function fieldsOf(bytes: Uint8Array<ArrayBuffer>): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >> 3;
    if ((key & 7) === 0) fields.push({ number, value: varint() });
    else if ((key & 7) === 2) {
      const length = Number(varint());
      fields.push({ number, value: bytes.slice(at, at + length) });
      at += length;
    } else throw new Error(`a field of wire type ${key & 7}`);
  }
  return fields;
}

function bytesOf(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      fields.flatMap(({ number, value }) => {
        if (typeof value === "bigint") return [varintOf(BigInt(number << 3)), varintOf(value)];
        const content =
          typeof value === "string"
            ? Buffer.from(value)
            : value instanceof Uint8Array
              ? value
              : bytesOf(value);
        return [varintOf(BigInt((number << 3) | 2)), varintOf(BigInt(content.length)), content];
      }),
    ),
  );
}

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(left)]);
}
