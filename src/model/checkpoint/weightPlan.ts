import type { Gpu } from "@/gpu/gpu";
import { type FloatType, rowBytes } from "@/gpu/kernels/common/dtype";
import type { Matrix, MatrixPart } from "@/gpu/kernels/common/matrix";
import { unpackBf16, unpackF16 } from "@/gpu/packing";
import { shown } from "@/text/shown";
import { ModelError } from "../modelError";
import type { ByteSource } from "./byteSource";
import type { TensorInfo, TensorMap } from "./safetensors";
import { WeightCheck } from "./weightCheck";

/** A byte range of a tensor to copy to a buffer, unchanged or converted to f32. */
interface Copy {
  readonly tensor: TensorInfo;
  /** Within the tensor. */
  readonly start: number;
  readonly end: number;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly widen: boolean;
}

/** A range of a file that is read with one request. */
interface Read {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

const DTYPES: Readonly<Record<string, FloatType>> = { F32: "f32", F16: "f16", BF16: "bf16" };
/** Neighbouring tensors are read together up to this size; larger ones in parts of this size. */
const READ_BYTES = 8 * 1024 * 1024;
/** Gap between two tensors below which one read is cheaper than two requests. */
const GAP_BYTES = 64 * 1024;

export interface LoadPlanOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined;
  /** Bytes of one read. */
  readonly readBytes?: number | undefined;
}

/**
 * Plans which bytes of a model's files go to which GPU buffer, then reads and uploads them.
 * Matrices keep their data type and are split by rows if they exceed a binding; vectors become f32.
 */
export class WeightPlan {
  readonly #gpu: Gpu;
  readonly #tensors: TensorMap;
  readonly #prefix: string;
  readonly #bindingBytes: number;
  readonly #copies: Copy[] = [];
  readonly #buffers: GPUBuffer[] = [];
  #dtype: FloatType = "f32";
  /** In the order of the files. */
  #needed: readonly TensorInfo[] = [];

  /** Names are prefixed with `prefix`; no buffer of a matrix exceeds `bindingBytes`. */
  constructor(gpu: Gpu, tensors: TensorMap, prefix: string, bindingBytes: number) {
    this.#gpu = gpu;
    this.#tensors = tensors;
    this.#prefix = prefix;
    this.#bindingBytes = bindingBytes;
  }

  /** Data type of all matrices. */
  get dtype(): FloatType {
    return this.#dtype;
  }

  get parameters(): number {
    return this.#needed.reduce((sum, { shape }) => sum + product(shape), 0);
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
      if (!Object.hasOwn(DTYPES, tensor.dtype)) {
        throw bad(`The tensor ${name} is stored as ${tensor.dtype}.`);
      }
      return tensor;
    });
    this.#needed = needed.sort((a, b) => a.file.localeCompare(b.file) || a.start - b.start);
    const matrices = this.#needed.filter(({ shape }) => shape.length > 1);
    const first = matrices[0] as TensorInfo;
    const other = matrices.find(({ dtype }) => dtype !== first.dtype);
    if (other) throw bad(`The tensor ${other.name} is ${other.dtype}, others are ${first.dtype}.`);
    this.#dtype = DTYPES[first.dtype] as FloatType;
    this.#gpu.memory.require("weights", this.bytes);
  }

  /** Concatenates matrices by rows; parts hold multiples of `granule` rows. */
  stack(label: string, names: readonly string[], granule = 4): Matrix {
    const tensors = names.map((name) => this.#tensor(name));
    // A convolution [out, in, height, width] is a matrix [out, in × height × width].
    const columns = product((tensors[0] as TensorInfo).shape.slice(1));
    const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
    const bytes = rowBytes(this.#dtype, columns);
    const parts = this.#split(label, rows, bytes, granule);
    for (const part of parts) {
      let top = 0;
      for (const tensor of tensors) {
        this.#copyRows(tensor, part, top - part.firstRow, bytes);
        top += tensor.shape[0] as number;
      }
    }
    return { label, dtype: this.#dtype, rows, columns, parts };
  }

  /**
   * Interleaves two matrices of equal shape: a part holds rows of the first, then the same rows of
   * the second.
   */
  gated(label: string, gateName: string, upName: string): Matrix {
    const [gate, up] = [this.#tensor(gateName), this.#tensor(upName)];
    const [rows, columns] = gate.shape as readonly [number, number];
    const bytes = rowBytes(this.#dtype, columns);
    const parts = this.#split(label, rows, 2 * bytes, 2);
    for (const part of parts) {
      this.#copyRows(gate, part, -part.firstRow, bytes);
      const upPart = { ...part, rows: 2 * part.rows };
      this.#copyRows(up, upPart, part.rows - part.firstRow, bytes, part.rows);
    }
    return { label, dtype: this.#dtype, rows, columns, parts };
  }

  /** f32 [length]: the first vector, then the others from `next` on; 0 elsewhere. */
  vector(label: string, names: readonly string[], length: number, next?: number): GPUBuffer {
    const buffer = this.#buffer(label, length * 4);
    let offset = 0;
    for (const [index, name] of names.entries()) {
      if (index === 1 && next !== undefined) offset = next * 4;
      const tensor = this.#tensor(name);
      const end = tensor.end - tensor.start;
      this.#copies.push({ tensor, start: 0, end, buffer, offset, widen: true });
      offset += product(tensor.shape) * 4;
    }
    return buffer;
  }

  /**
   * Reads, checks and uploads everything. On failure it frees all allocated buffers. What is on its way
   * counts in `Memory.overallPeak`.
   * @returns the digest that identifies the weights
   * @throws ModelError naming a tensor whose numbers cannot be right
   */
  async load(
    source: ByteSource,
    { signal, onProgress, readBytes = READ_BYTES }: LoadPlanOptions,
  ): Promise<string> {
    const total = this.bytes;
    let done = 0;
    const onBytes = (bytes: number) => {
      done += bytes;
      onProgress?.(Math.min(done, total), total);
    };
    const check = new WeightCheck();
    try {
      await this.#gpu.memory.granted();
      for (const read of this.#reads(readBytes)) {
        await this.#holding(async (hold) => {
          hold(read.end - read.start);
          const bytes = await source.read(read.file, read.start, read.end, { signal, onBytes });
          this.#take(read, bytes, check, hold);
          // Bounds the memory that the browser uses to stage uploads.
          await this.#gpu.device.queue.onSubmittedWorkDone();
        });
      }
      return check.end();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Releases what `task` has counted when it ends. */
  async #holding(task: (hold: (bytes: number) => void) => Promise<void>): Promise<void> {
    const { memory } = this.#gpu;
    let held = 0;
    try {
      await task((bytes) => {
        held += bytes;
        memory.hold(bytes);
      });
    } finally {
      memory.hold(-held);
    }
  }

  /** Checks and uploads what a read has brought. `hold` counts the copies that this makes. */
  #take(
    { file, start }: Read,
    bytes: Uint8Array<ArrayBuffer>,
    check: WeightCheck,
    hold: (bytes: number) => void,
  ): void {
    for (const tensor of this.#needed) {
      if (tensor.file === file) lookAt(check, tensor, bytes, start);
    }
    for (const copy of this.#copies) {
      if (copy.tensor.file === file) hold(this.#upload(copy, bytes, start));
    }
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
   * Copies the rows of a tensor that belong to a part; row r of the tensor is row r + shift of the
   * part.
   */
  #copyRows(tensor: TensorInfo, part: MatrixPart, shift: number, rowBytes: number, from = 0): void {
    const rows = tensor.shape[0] as number;
    const first = Math.max(0, from - shift);
    const last = Math.min(rows, part.rows - shift);
    if (first >= last) return;
    this.#copies.push({
      tensor,
      start: first * rowBytes,
      end: last * rowBytes,
      buffer: part.buffer,
      offset: (first + shift) * rowBytes,
      widen: false,
    });
  }

  #reads(readBytes: number): readonly Read[] {
    const reads: { file: string; start: number; end: number }[] = [];
    for (const { file, start, end } of this.#needed) {
      const last = reads.at(-1);
      const isNear = last?.file === file && start - last.end <= GAP_BYTES;
      if (last && isNear && end - last.start <= readBytes) {
        last.end = end;
        continue;
      }
      for (let at = start; at < end; at += readBytes) {
        reads.push({ file, start: at, end: Math.min(end, at + readBytes) });
      }
    }
    return reads;
  }

  /**
   * Writes the part of a copy that `bytes` contains; `bytes` start at file offset `first`.
   * @returns bytes of the copies that this needs until the upload is done
   */
  #upload(copy: Copy, bytes: Uint8Array<ArrayBuffer>, first: number): number {
    const { tensor, buffer, offset, widen } = copy;
    const from = tensor.start + copy.start;
    const start = Math.max(from, first);
    const end = Math.min(tensor.start + copy.end, first + bytes.length);
    if (start >= end) return 0;
    const piece = bytes.subarray(start - first, end - first);
    const data = widen ? toFloats(piece.slice(), DTYPES[tensor.dtype] as FloatType) : piece;
    this.#gpu.device.queue.writeBuffer(buffer, offset + start - from, data);
    return widen ? 2 * (piece.byteLength + data.byteLength) : piece.byteLength;
  }
}

/** Checks the part of a tensor that `bytes` contain; they start at file offset `first`. */
function lookAt(
  check: WeightCheck,
  tensor: TensorInfo,
  bytes: Uint8Array<ArrayBuffer>,
  first: number,
): void {
  const start = Math.max(tensor.start, first);
  const end = Math.min(tensor.end, first + bytes.length);
  if (start >= end) return;
  check.look(tensor, DTYPES[tensor.dtype] as FloatType, bytes.subarray(start - first, end - first));
}

type Expected = readonly (readonly [name: string, shape: readonly number[]])[];

/** A shape without its first extents of 1, which change nothing. */
function withoutOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((extent) => extent !== 1);
  return shape.slice(first < 0 ? shape.length : first);
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, extent) => total * extent, 1);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}

/** Converts stored numbers to f32. */
function toFloats(bytes: Uint8Array<ArrayBuffer>, dtype: FloatType): Float32Array<ArrayBuffer> {
  if (dtype === "f32") return new Float32Array(bytes.buffer);
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  const floats = dtype === "f16" ? unpackF16(words) : unpackBf16(words);
  return floats.subarray(0, bytes.length / 2);
}
