import type { Gpu } from "@/gpu/gpu";
import type { Recorder } from "@/gpu/recorder";

/** Buffers with a common lifetime, in the pool `activations`. */
export class Scratch {
  readonly #gpu: Gpu;
  readonly #label: string;
  readonly #live = new Set<GPUBuffer>();

  constructor(gpu: Gpu, label: string) {
    this.#gpu = gpu;
    this.#label = label;
  }

  /** A zeroed buffer of 4-byte numbers. */
  numbers(name: string, count: number): GPUBuffer {
    const label = `${this.#label} ${name}`;
    const buffer = this.#gpu.memory.storage("activations", label, count * 4);
    this.#live.add(buffer);
    return buffer;
  }

  upload(name: string, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.numbers(name, values.length);
    this.#gpu.device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  /** Reads several buffers through one staging buffer. */
  async read(buffers: readonly GPUBuffer[]): Promise<readonly ArrayBuffer[]> {
    const { device, memory } = this.#gpu;
    const size = buffers.reduce((sum, buffer) => sum + buffer.size, 0);
    if (size === 0) return [];
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = memory.create("activations", `${this.#label} readback`, size, usage);
    try {
      const encoder = device.createCommandEncoder({ label: staging.label });
      let offset = 0;
      for (const buffer of buffers) {
        encoder.copyBufferToBuffer(buffer, 0, staging, offset, buffer.size);
        offset += buffer.size;
      }
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const bytes = staging.getMappedRange();
      offset = 0;
      return buffers.map((buffer) => {
        offset += buffer.size;
        return bytes.slice(offset - buffer.size, offset);
      });
    } finally {
      memory.destroy(staging);
    }
  }

  free(buffer: GPUBuffer): void {
    this.#live.delete(buffer);
    this.#gpu.memory.destroy(buffer);
  }

  destroy(): void {
    for (const buffer of this.#live) this.#gpu.memory.destroy(buffer);
    this.#live.clear();
  }
}

/**
 * Runs work that has buffers and at most `slots` dispatches of its own, and frees them, also if it fails. What it has
 * submitted still completes.
 */
export function runOnce<T>(
  gpu: Gpu,
  label: string,
  slots: number,
  work: (scratch: Scratch, recorder: Recorder) => T,
): T {
  const scratch = new Scratch(gpu, label);
  const recorder = gpu.recorder(label, slots);
  try {
    return work(scratch, recorder);
  } finally {
    recorder.destroy();
    scratch.destroy();
  }
}
