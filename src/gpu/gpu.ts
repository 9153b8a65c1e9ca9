import type { Kernel, KernelSpec, ParamTypes } from "./kernel";
import { Memory } from "./memory";
import { type Program, Recorder } from "./recorder";

const RECORDER_SLOTS = 4096;

/** Shader compilation failed; the message carries the kernel's name and the compiler's lines. */
class KernelCompileError extends Error {
  override readonly name = "KernelCompileError";
}

/** Optional features of this device. */
interface GpuFeatures {
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
}

/** Kernels of a device since it was opened. */
export interface KernelCount {
  readonly compiled: number;
  /** Compiled ones, and those that are still compiling. */
  readonly asked: number;
}

/**
 * A device with our allocator and our compiler. Independent of models. Kernels with reductions are
 * written against `reduction_*.wgsl` (see `kernels/common/reduction.ts`).
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly memory: Memory;
  readonly features: GpuFeatures;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  readonly #watchers = new Set<(count: KernelCount) => void>();
  #compiled = 0;

  constructor(device: GPUDevice) {
    this.device = device;
    this.memory = new Memory(device);
    this.features = {
      f16: device.features.has("shader-f16"),
      subgroups: device.features.has("subgroups" as GPUFeatureName),
      timestamps: device.features.has("timestamp-query"),
    };
  }

  /**
   * Compiles a kernel, or returns the cached one with the same code and constants.
   * @throws KernelCompileError
   */
  compile<P extends ParamTypes>(spec: KernelSpec<P>): Promise<Kernel<P>> {
    const code = [...(spec.enable ?? []).map((name) => `enable ${name};`), ...spec.code].join("\n");
    const key = JSON.stringify([code, spec.constants ?? {}, spec.access]);
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(spec, code);
      this.#kernels.set(key, kernel);
      this.#tellCount();
    }
    return kernel as Promise<Kernel<P>>;
  }

  get kernelCount(): KernelCount {
    return { compiled: this.#compiled, asked: this.#kernels.size };
  }

  /** Calls `watch` whenever a kernel begins or ends compiling. Returns how to end it. */
  watchKernels(watch: (count: KernelCount) => void): () => void {
    this.#watchers.add(watch);
    return () => this.#watchers.delete(watch);
  }

  #tellCount(): void {
    for (const watch of this.#watchers) watch(this.kernelCount);
  }

  async #compile(spec: KernelSpec, code: string): Promise<Kernel> {
    const { label, access, params, constants = {} } = spec;
    const { device } = this;
    const visibility = GPUShaderStage.COMPUTE;
    const layout = device.createBindGroupLayout({
      label,
      entries: [
        ...access.map((mode, binding) => ({
          binding,
          visibility,
          buffer: { type: mode === "read" ? "read-only-storage" : "storage" } as const,
        })),
        {
          binding: access.length,
          visibility,
          buffer: { type: "uniform" } as const,
        },
      ],
    });
    const module = device.createShaderModule({ label, code });
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants: { ...constants } },
      });
      this.#compiled += 1;
      this.#tellCount();
      return { label, pipeline, layout, params };
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = code.split("\n");
      const told = messages.map(
        (m) => `${m.type} ${m.lineNum}:${m.linePos} ${m.message}\n  ${lines[m.lineNum - 1] ?? ""}`,
      );
      throw new KernelCompileError(`${label}: ${[String(cause), ...told].join("\n")}`, { cause });
    }
  }

  /**
   * A recorder whose commands run at `submit`; it holds up to `slots` dispatches.
   * @param before a program that its program replaces
   */
  recorder(label: string, slots: number = RECORDER_SLOTS, before?: Program): Recorder {
    return new Recorder(this.device, this.memory, { label, slots, before: before?.frozen });
  }

  /** Reads `size` bytes of a buffer. Waits for all submitted work. */
  async read(source: GPUBuffer, offset = 0, size = source.size - offset): Promise<ArrayBuffer> {
    const staging = this.device.createBuffer({
      label: `${source.label} readback`,
      size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, size);
    this.device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }
}
