import { shown } from "@/text/shown";
import { ModelError } from "../../modelError";
import type { ByteSource, ReadOptions } from "../byteSource";
import { cut } from "../byteSource";
import type { JsonObject } from "../files";
import { readTensorMap, type TensorInfo } from "../safetensors";
import { isMlx, type VirtualTensor, virtualTensors } from "./virtualTensors";

const FILE = "model.safetensors";
/** Gap between two ranges below which one read is cheaper than two requests. */
const GAP_BYTES = 64 * 1024;

/** Rows of one part of a virtual tensor, in a file. */
interface PartRange {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Rows of a virtual tensor that a read needs. */
interface Piece {
  readonly tensor: VirtualTensor;
  /** First byte of these rows in the virtual file. */
  readonly at: number;
  readonly ranges: readonly PartRange[];
}

/**
 * A directory's weights under PyTorch's names and shapes. Those in MLX's format appear as one file, whose
 * bytes are made while they are read; all others are as they are.
 * @param json config.json
 * @throws ModelError
 */
export async function pytorchSource(
  source: ByteSource,
  json: JsonObject,
  options?: ReadOptions,
): Promise<ByteSource> {
  const quantization = (json.quantization ?? json.quantization_config ?? {}) as JsonObject;
  if (quantization.quant_method !== undefined) {
    const method = shown(quantization.quant_method);
    const message = `Weights that are quantised by ${method} are not supported; those of MLX are.`;
    throw new ModelError("unknownArchitecture", message);
  }
  const tensors = await readTensorMap(source, options);
  if (!isMlx(tensors)) return source;
  return new MlxSource(source, virtualTensors(tensors, quantization));
}

class MlxSource implements ByteSource {
  readonly #source: ByteSource;
  /** The header of the virtual file. */
  readonly #header: Uint8Array<ArrayBuffer>;
  /** With the first byte of each in the virtual file. */
  readonly #tensors: readonly (readonly [at: number, tensor: VirtualTensor])[];
  readonly #bytes: number;

  constructor(source: ByteSource, tensors: readonly VirtualTensor[]) {
    this.#source = source;
    let data = 0;
    const entries = tensors.map(({ name, dtype, shape, bytes }) => {
      data += bytes;
      return [name, { dtype, shape, data_offsets: [data - bytes, data] }] as const;
    });
    const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
    this.#header = new Uint8Array(8 + text.length);
    new DataView(this.#header.buffer).setBigUint64(0, BigInt(text.length), true);
    this.#header.set(text, 8);
    this.#bytes = this.#header.length + data;
    this.#tensors = tensors.map((tensor, i) => {
      return [this.#header.length + (entries[i]?.[1].data_offsets[0] ?? 0), tensor];
    });
  }

  async size(file: string, options?: ReadOptions): Promise<number | undefined> {
    return file === FILE ? this.#bytes : this.#source.size(file, options);
  }

  async read(
    file: string,
    start: number,
    end: number,
    options: ReadOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (file !== FILE) return this.#source.read(file, start, end, options);
    const bytes = new Uint8Array(end - start);
    bytes.set(this.#header.subarray(start, Math.max(start, Math.min(end, this.#header.length))));
    const pieces = this.#pieces(start, end);
    const stored = await readRanges(
      this.#source,
      pieces.flatMap(({ ranges }) => ranges),
      { signal: options.signal },
    );
    for (const { tensor, at, ranges } of pieces) {
      const made = tensor.make(ranges.map((range) => stored(range)));
      const from = Math.max(0, start - at);
      bytes.set(made.subarray(from, end - at), at + from - start);
    }
    options.onBytes?.(bytes.length);
    return cut(file, bytes, 0, end - start);
  }

  /** The rows of every tensor in a range of the virtual file. */
  #pieces(start: number, end: number): readonly Piece[] {
    return this.#tensors.flatMap(([at, tensor]): Piece[] => {
      const [from, to] = [Math.max(start, at) - at, Math.min(end, at + tensor.bytes) - at];
      if (from >= to) return [];
      const rowBytes = tensor.bytes / tensor.rows;
      const [first, last] = [Math.floor(from / rowBytes), Math.ceil(to / rowBytes)];
      const ranges = tensor.parts.map((part) => rowsOf(part, tensor.rows, first, last));
      return [{ tensor, at: at + first * rowBytes, ranges }];
    });
  }
}

function rowsOf({ file, start, end }: TensorInfo, rows: number, first: number, last: number) {
  const rowBytes = (end - start) / rows;
  return { file, start: start + first * rowBytes, end: start + last * rowBytes };
}

/** Reads ranges, neighbouring ones together. The result gives each of them as bytes of its own. */
async function readRanges(
  source: ByteSource,
  ranges: readonly PartRange[],
  options: ReadOptions,
): Promise<(range: PartRange) => Uint8Array<ArrayBuffer>> {
  const reads: { file: string; start: number; end: number; bytes?: Uint8Array<ArrayBuffer> }[] = [];
  const order = ranges.toSorted((a, b) => a.file.localeCompare(b.file) || a.start - b.start);
  for (const { file, start, end } of order) {
    const last = reads.at(-1);
    if (last?.file === file && start - last.end <= GAP_BYTES) last.end = Math.max(last.end, end);
    else reads.push({ file, start, end });
  }
  for (const read of reads) {
    read.bytes = await source.read(read.file, read.start, read.end, options);
  }
  return ({ file, start, end }) => {
    const read = reads.find((r) => r.file === file && r.start <= start && end <= r.end);
    const from = start - (read?.start ?? 0);
    return read?.bytes?.slice(from, from + end - start) ?? new Uint8Array(0);
  };
}
