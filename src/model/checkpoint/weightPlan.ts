import type { Gpu } from "@/gpu/gpu";
import { type DType, rowBytes } from "@/gpu/kernels/common/dtype";
import type { Matrix, MatrixPart } from "@/gpu/kernels/common/matrix";
import { shown } from "@/text/shown";
import { ModelError } from "../modelError";
import type { ByteSource } from "./byteSource";
import type { TensorInfo, TensorMap } from "./safetensors";
import { bytesAs, elements, matrixRows, vectorRows } from "./tensorRows";
import { commonType, storedType, type TypeOf } from "./weightTypes";
import { type TensorCopy, type UploadOptions, uploadWeights } from "./weightUpload";

interface WeightPlanInput {
  readonly tensors: TensorMap;
  /** What the names of tensors begin with; default: nothing. */
  readonly prefix?: string;
  /** Largest buffer of a matrix, in bytes; default: what the device binds. */
  readonly bindingBytes?: number | undefined;
  readonly typeOf: TypeOf;
}

/**
 * Plans which bytes of a model's files go to which GPU buffer, and uploads them (`uploadWeights`).
 * Matrices get the type that `typeOf` says and are split by rows if they exceed a binding; vectors
 * become f32.
 */
export class WeightPlan {
  readonly #gpu: Gpu;
  readonly #tensors: TensorMap;
  readonly #prefix: string;
  readonly #bindingBytes: number;
  readonly #copies: TensorCopy[] = [];
  readonly #buffers: GPUBuffer[] = [];
  /** In the order of the files. */
  #needed: readonly TensorInfo[] = [];
  readonly #typeOf: TypeOf;

  constructor(gpu: Gpu, { tensors, prefix = "", bindingBytes, typeOf }: WeightPlanInput) {
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
    this.#gpu = gpu;
    this.#tensors = tensors;
    this.#prefix = prefix;
    this.#bindingBytes = bindingBytes ?? Math.min(maxStorageBufferBindingSize, maxBufferSize);
    this.#typeOf = typeOf;
  }

  get parameters(): number {
    return this.#needed.reduce((sum, { shape }) => sum + elements(shape), 0);
  }

  /** Bytes of all required tensors. */
  get bytes(): number {
    return this.#needed.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * Compares the available tensors with the expected ones; names in `outside` have no prefix.
   * @throws ModelError naming the first tensor that is missing or different; OutOfMemoryError if there
   * is no room for all of them
   */
  check(inside: Expected, outside: Expected): void {
    const expected = [
      ...inside.map(([name, shape]) => [this.#prefix + name, shape] as const),
      ...outside,
    ];
    const needed = expected.map(([name, shape]) => {
      const tensor = this.#tensors.get(name);
      if (!tensor) throw bad(`The model's weights lack the tensor ${name}.`);
      if (withoutOnes(tensor.shape).join() !== withoutOnes(shape).join()) {
        throw bad(`The tensor ${name} is [${shown(tensor.shape.join())}], not [${shape}].`);
      }
      const stored = storedType(tensor);
      if (!stored || tensor.end - tensor.start !== bytesAs(tensor, stored)) {
        throw bad(`The tensor ${name} is stored as ${shown(tensor.dtype)}.`);
      }
      return tensor;
    });
    this.#needed = needed.sort((a, b) => a.file.localeCompare(b.file) || a.start - b.start);
    const held = this.#needed.map((tensor) => bytesAs(tensor, this.#typeFor([tensor])));
    this.#gpu.memory.require(
      "weights",
      held.reduce((sum, bytes) => sum + bytes, 0),
    );
  }

  /** Concatenates matrices by rows; parts hold multiples of `granule` rows. */
  stack(label: string, names: readonly string[], granule = 4): Matrix {
    const tensors = names.map((name) => this.#tensor(name));
    const [, columns] = matrixRows(tensors[0] as TensorInfo);
    const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
    const dtype = this.#typeFor(tensors);
    const parts = this.#split(label, rows, rowBytes(dtype, columns), granule);
    for (const part of parts) {
      let top = 0;
      for (const tensor of tensors) {
        this.#copyRows(tensor, part, dtype, { shift: top - part.firstRow });
        top += tensor.shape[0] as number;
      }
    }
    return { label, dtype, rows, columns, parts };
  }

  /**
   * Interleaves two matrices of equal shape: a part holds rows of the first, then the same rows of
   * the second.
   */
  gated(label: string, gateName: string, upName: string): Matrix {
    const [gate, up] = [this.#tensor(gateName), this.#tensor(upName)];
    const [rows, columns] = gate.shape as readonly [number, number];
    const dtype = this.#typeFor([gate, up]);
    const parts = this.#split(label, rows, 2 * rowBytes(dtype, columns), 2);
    for (const part of parts) {
      this.#copyRows(gate, part, dtype, { shift: -part.firstRow });
      const upPart = { ...part, rows: 2 * part.rows };
      const shift = part.rows - part.firstRow;
      this.#copyRows(up, upPart, dtype, { shift, from: part.rows });
    }
    return { label, dtype, rows, columns, parts };
  }

  /** f32 [length]: the first vector, then the others from `next` on; 0 elsewhere. */
  vector(label: string, names: readonly string[], length: number, next?: number): GPUBuffer {
    const buffer = this.#buffer(label, length * 4);
    let offset = 0;
    for (const [index, name] of names.entries()) {
      if (index === 1 && next !== undefined) offset = next * 4;
      const tensor = this.#tensor(name);
      const [rows, columns] = vectorRows(tensor);
      this.#copies.push({
        tensor,
        columns,
        firstRow: 0,
        endRow: rows,
        buffer,
        offset,
        type: "f32",
      });
      offset += elements(tensor.shape) * 4;
    }
    return buffer;
  }

  /**
   * Reads, checks and uploads everything. On failure it frees all allocated buffers.
   * @returns the digest that identifies the weights
   * @throws ModelError naming a tensor whose numbers cannot be right
   */
  async load(source: ByteSource, options: UploadOptions): Promise<string> {
    try {
      const wanted = { needed: this.#needed, copies: this.#copies };
      return await uploadWeights(this.#gpu, source, wanted, options);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Frees one of its buffers, of which something else was made. */
  free(buffer: GPUBuffer): void {
    this.#buffers.splice(this.#buffers.indexOf(buffer), 1);
    this.#gpu.memory.destroy(buffer);
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }

  #tensor(name: string): TensorInfo {
    return (this.#tensors.get(this.#prefix + name) ?? this.#tensors.get(name)) as TensorInfo;
  }

  #buffer(label: string, bytes: number): GPUBuffer {
    const buffer = this.#gpu.memory.storage("weights", label, bytes);
    this.#buffers.push(buffer);
    return buffer;
  }

  #split(label: string, rows: number, rowBytes: number, granule: number): readonly MatrixPart[] {
    const partRows = Math.floor(this.#bindingBytes / (rowBytes * granule)) * granule;
    if (partRows === 0) throw bad(`The matrix ${label} has rows too long for this adapter.`);
    return Array.from({ length: Math.ceil(rows / partRows) }, (_, index) => {
      const firstRow = index * partRows;
      const count = Math.min(partRows, rows - firstRow);
      return { buffer: this.#buffer(label, count * rowBytes), firstRow, rows: count };
    });
  }

  /**
   * Copies the rows of a tensor that belong to a part, to its rows `from` and later; row r of the tensor is row
   * r + shift of the part.
   */
  #copyRows(
    tensor: TensorInfo,
    part: MatrixPart,
    type: DType,
    { shift, from = 0 }: { readonly shift: number; readonly from?: number },
  ): void {
    const [rows, columns] = matrixRows(tensor);
    const firstRow = Math.max(0, from - shift);
    const endRow = Math.min(rows, part.rows - shift);
    if (firstRow >= endRow) return;
    const offset = (firstRow + shift) * rowBytes(type, columns);
    this.#copies.push({ tensor, columns, firstRow, endRow, buffer: part.buffer, offset, type });
  }

  /** How a matrix of these tensors is held. */
  #typeFor(tensors: readonly TensorInfo[]): DType {
    return commonType(
      tensors.map((tensor) => this.#typeOf(tensor.name, storedType(tensor) as DType)),
    );
  }
}

type Expected = readonly (readonly [name: string, shape: readonly number[]])[];

/** A shape without its first extents of 1, which change nothing. */
function withoutOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((extent) => extent !== 1);
  return shape.slice(first < 0 ? shape.length : first);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
