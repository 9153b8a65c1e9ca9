import { vi } from "vitest";
import { Gpu } from "@/gpu/gpu";
import type { KernelSpec } from "@/gpu/kernel";

/** Operations of a fake device, in order. */
export interface FakeLog {
  /** Bytes that were written to a buffer. */
  readonly writes: { readonly label: string; readonly bytes: ArrayBuffer }[];
  /** Copies of bytes from buffer to buffer. */
  readonly copies: { readonly from: string; readonly to: string; readonly bytes: number }[];
  /** Pipelines and dispatches of compute passes. */
  readonly passes: string[];
}

/** A buffer that holds nothing. */
class FakeBuffer {
  readonly label: string;
  readonly size: number;

  constructor({ label = "", size }: GPUBufferDescriptor) {
    this.label = label;
    this.size = size;
  }

  destroy(): void {}
}

/** Makes the globals of WebGPU that our code reads; undo it with `vi.unstubAllGlobals`. */
export function stubGpuConstants(): void {
  const usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };
  vi.stubGlobal("GPUBufferUsage", usage);
  vi.stubGlobal("GPUBuffer", FakeBuffer);
}

/** What a bind group was made of; its last entry is the uniform block. */
interface FakeGroup {
  readonly label: string;
  readonly entries: readonly { readonly resource: GPUBufferBinding }[];
}

/** A device that computes nothing and keeps a log. */
export function fakeDevice(
  limits: Partial<Record<keyof GPUSupportedLimits, number>> = {},
  log: FakeLog = { writes: [], copies: [], passes: [] },
): GPUDevice {
  const most = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
  const pass = {
    setPipeline: (pipeline: GPUComputePipeline) => log.passes.push(pipeline.label),
    setBindGroup: (_: number, { label, entries }: FakeGroup & GPUBindGroup) =>
      log.passes.push(`${label} at ${entries.at(-1)?.resource.offset}`),
    dispatchWorkgroups: (...counts: readonly number[]) => log.passes.push(counts.join(" × ")),
    end: () => {},
  };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: (...args: [GPUBuffer, number, GPUBuffer, number, number]) =>
      log.copies.push({ from: args[0].label, to: args[2].label, bytes: args[4] }),
    finish: () => ({}),
  };
  const queue = {
    submit: () => {},
    onSubmittedWorkDone: () => Promise.resolve(),
    writeBuffer: (
      { label }: GPUBuffer,
      _: number,
      data: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
      from = 0,
      size?: number,
    ) => {
      const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(data)
        ? data
        : { buffer: data, byteOffset: 0, byteLength: data.byteLength };
      const start = byteOffset + from;
      const end = size === undefined ? byteOffset + byteLength : start + size;
      log.writes.push({ label, bytes: buffer.slice(start, end) });
    },
  };
  return {
    limits: { ...most, ...limits },
    features: new Set(),
    queue,
    createBuffer: (descriptor: GPUBufferDescriptor) => new FakeBuffer(descriptor),
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => descriptor,
    createCommandEncoder: () => encoder,
  } as unknown as GPUDevice;
}

/** A `Gpu` on a fake device: it allocates, reads zeros, and compiles nothing. */
export function fakeGpu(device = fakeDevice()): Gpu {
  const read = (buffer: GPUBuffer, _ = 0, bytes = buffer.size) => {
    return Promise.resolve(new ArrayBuffer(bytes));
  };
  const compile = ({ label, params }: KernelSpec) => {
    return Promise.resolve({ label, pipeline: { label }, layout: {}, params });
  };
  return Object.assign(new Gpu(device), { read, compile } as unknown as Pick<
    Gpu,
    "read" | "compile"
  >);
}
