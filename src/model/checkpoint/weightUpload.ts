import type { Gpu } from "@/gpu/gpu";
import { type DType, rowBytes } from "@/gpu/kernels/common/dtype";
import type { Memory } from "@/gpu/memory";
import type { ByteSource } from "./byteSource";
import { convertRows } from "./convert";
import type { TensorInfo } from "./safetensors";
import { planReads, type Read } from "./tensorRows";
import { WeightCheck } from "./weightCheck";
import { storedType } from "./weightTypes";

/** Rows of a tensor to copy to a buffer, in the type of their matrix. A vector is a row per number. */
export interface TensorCopy {
  readonly tensor: TensorInfo;
  readonly columns: number;
  readonly firstRow: number;
  readonly endRow: number;
  readonly buffer: GPUBuffer;
  /** Where the first of the rows goes. */
  readonly offset: number;
  readonly type: DType;
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined;
  /** Bytes of one read. */
  readonly readBytes?: number | undefined;
}

interface WantedWeights {
  /** Tensors in the order of the files. */
  readonly needed: readonly TensorInfo[];
  readonly copies: readonly TensorCopy[];
}

/**
 * Reads the tensors once, in the order of their files, checks every number, and writes the rows of
 * `copies` to their buffers. What is on its way counts in `Memory.overallPeak`.
 * @returns the digest that identifies the weights
 * @throws ModelError naming a tensor whose numbers cannot be right
 */
export async function uploadWeights(
  gpu: Gpu,
  source: ByteSource,
  { needed, copies }: WantedWeights,
  { signal, onProgress, readBytes }: UploadOptions,
): Promise<string> {
  const total = needed.reduce((sum, { start, end }) => sum + end - start, 0);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress?.(Math.min(done, total), total);
  };
  const check = new WeightCheck();
  await gpu.memory.granted();
  for (const read of planReads(needed, readBytes)) {
    await counting(gpu.memory, async (count) => {
      count(read.end - read.start);
      const bytes = await source.read(read.file, read.start, read.end, { signal, onBytes });
      for (const tensor of needed) {
        if (tensor.file === read.file) lookAt(check, tensor, bytes, read);
      }
      for (const copy of copies) {
        if (copy.tensor.file === read.file) count(upload(gpu, copy, bytes, read));
      }
      // Bounds the memory that the browser uses to stage uploads.
      await gpu.device.queue.onSubmittedWorkDone();
    });
  }
  return check.end();
}

/** Counts the bytes that `task` names until it ends. */
async function counting(
  memory: Memory,
  task: (count: (bytes: number) => void) => Promise<void>,
): Promise<void> {
  let counted = 0;
  try {
    await task((bytes) => {
      counted += bytes;
      memory.countUpload(bytes);
    });
  } finally {
    memory.countUpload(-counted);
  }
}

/** Checks the part of a tensor that a read has brought. */
function lookAt(
  check: WeightCheck,
  tensor: TensorInfo,
  bytes: Uint8Array<ArrayBuffer>,
  { start: first }: Read,
): void {
  const start = Math.max(tensor.start, first);
  const end = Math.min(tensor.end, first + bytes.length);
  if (start >= end) return;
  check.look(tensor, storedType(tensor) as DType, bytes.subarray(start - first, end - first));
}

/**
 * Writes the part of a copy that a read has brought.
 * @returns bytes of the copies that this needs until the upload is done
 */
function upload(
  gpu: Gpu,
  copy: TensorCopy,
  bytes: Uint8Array<ArrayBuffer>,
  { start: first }: Read,
): number {
  const { tensor, columns, buffer, offset, type } = copy;
  const stored = storedType(tensor) as DType;
  const unit = rowBytes(stored, columns);
  const from = tensor.start + copy.firstRow * unit;
  const start = Math.max(from, first);
  const end = Math.min(tensor.start + copy.endRow * unit, first + bytes.length);
  if (start >= end) return 0;
  const piece = bytes.subarray(start - first, end - first);
  const data = convertRows(piece, columns, stored, type);
  const row = (start - from) / unit;
  gpu.device.queue.writeBuffer(buffer, offset + row * rowBytes(type, columns), data);
  if (stored === type) return piece.byteLength;
  // The piece in words, its numbers in f32, the rows, and their staged copy.
  return piece.byteLength + 4 * (end - start) * (columns / unit) + 2 * data.byteLength;
}
