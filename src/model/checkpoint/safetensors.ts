import { shown } from "@/text/shown";
import { ModelError } from "../modelError";
import type { ByteSource, ReadOptions } from "./byteSource";
import { substituteOf } from "./files";

/** A tensor's entry in a header: https://huggingface.co/docs/safetensors. */
export interface TensorInfo {
  readonly name: string;
  readonly file: string;
  /** `F32`, `F16`, `BF16`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte of the data in the file. */
  readonly start: number;
  readonly end: number;
}

/** Tensors of a model by name, over all its files. */
export type TensorMap = ReadonlyMap<string, TensorInfo>;

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

const DTYPE_BYTES: Readonly<Record<string, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, U64: 8, I32: 4, U32: 4 },
  ...{ I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1 },
};

/**
 * Reads the headers of a model directory: `model.safetensors`, or the files that its index names.
 * @throws ModelError naming the file and the defect.
 */
export async function readTensorMap(source: ByteSource, options?: ReadOptions): Promise<TensorMap> {
  const singleBytes = await source.size(SINGLE, options);
  if (singleBytes !== undefined) {
    return new Map(entries(await readHeader(source, SINGLE, singleBytes, options)));
  }
  const indexBytes = await source.size(INDEX, options);
  if (indexBytes === undefined) {
    throw new ModelError("missingFile", `The model directory has no file ${SINGLE}.`);
  }
  const map = new Map<string, TensorInfo>();
  for (const file of filesOf(await source.read(INDEX, 0, indexBytes, options))) {
    const bytes = await source.size(file, options);
    if (bytes === undefined) {
      throw new ModelError("missingFile", `The model directory has no file ${shown(file)}.`);
    }
    for (const [name, tensor] of entries(await readHeader(source, file, bytes, options))) {
      const other = map.get(name);
      if (other) throw bad(file, `holds ${shown(name)}, as ${shown(other.file)} does`);
      map.set(name, tensor);
    }
  }
  return map;
}

function entries(tensors: readonly TensorInfo[]): [string, TensorInfo][] {
  return tensors.map((tensor) => [tensor.name, tensor]);
}

function filesOf(bytes: Uint8Array): readonly string[] {
  const index = parseJson(INDEX, bytes) as { weight_map?: unknown };
  const map = index.weight_map;
  if (typeof map !== "object" || map === null) throw bad(INDEX, "has no weight_map");
  const files = [...new Set(Object.values(map))];
  const wrong = files.find((file) => typeof file !== "string" || !isFileName(file));
  if (wrong !== undefined) throw bad(INDEX, `names the file ${shown(wrong)}`);
  return files as string[];
}

/** A name in the same directory, as long as file systems allow. */
function isFileName(name: string): boolean {
  return name.length <= 255 && !/[/\\\p{Cc}]|^\.|:/u.test(name);
}

async function readHeader(
  source: ByteSource,
  file: string,
  fileBytes: number,
  options?: ReadOptions,
): Promise<readonly TensorInfo[]> {
  if (fileBytes < 8) throw bad(file, `has only ${fileBytes} bytes`);
  const prefix = await source.read(file, 0, 8, options);
  const substitute = substituteOf(prefix);
  if (substitute) throw bad(file, `is ${substitute}, not the weights themselves`);
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > fileBytes) {
    throw bad(file, `claims a header of ${headerBytes} bytes in a file of ${fileBytes}`);
  }
  const header = await source.read(file, 8, 8 + headerBytes, options);
  return parseHeader(file, header, fileBytes);
}

/** The tensors of a header, in file order. @throws ModelError */
function parseHeader(file: string, header: Uint8Array, fileBytes: number): readonly TensorInfo[] {
  const dataStart = 8 + header.length;
  const tensors = Object.entries(parseJson(file, header))
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseTensor(file, name, value, dataStart))
    // A tensor without bytes starts where another one starts.
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.start < end)
      throw bad(file, `lets ${shown(tensor.name)} overlap the tensor before it`);
    end = tensor.end;
    if (end > fileBytes) {
      throw bad(file, `ends inside of ${shown(tensor.name)}: ${fileBytes} of ${end} bytes`);
    }
  }
  return tensors;
}

function parseTensor(file: string, name: string, value: unknown, dataStart: number): TensorInfo {
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (value ?? {}) as {
    readonly [key: string]: unknown;
  };
  const isRange = isCounts(offsets) && offsets.length === 2 && offsets[0]! <= offsets[1]!;
  if (typeof dtype !== "string" || !isCounts(shape) || !isRange) {
    throw bad(file, `describes ${shown(name)} in a way that cannot be read`);
  }
  const [begin, finish] = offsets as readonly [number, number];
  // A tensor of an unknown type is refused where it is needed.
  const size = Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype] : undefined;
  const bytes = size && shape.reduce((product, extent) => product * extent, size);
  if (bytes !== undefined && finish - begin !== bytes) {
    throw bad(file, `gives ${shown(name)} ${finish - begin} bytes where its shape needs ${bytes}`);
  }
  return { name, file, dtype, shape, start: dataStart + begin, end: dataStart + finish };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function parseJson(file: string, bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw bad(file, "has a header that is not JSON", cause);
  }
  throw bad(file, "has a header that is not a JSON object");
}

function bad(file: string, what: string, cause?: unknown): ModelError {
  return new ModelError("badModel", `The model's file ${shown(file)} ${what}.`, { cause });
}
