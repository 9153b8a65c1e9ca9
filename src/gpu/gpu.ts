import { Memory } from "./memory";

/** How a kernel uses one of its storage buffers. */
export type Access = "read" | "write";

/**
 * A kernel as data. `code` is WGSL from `.wgsl` files, concatenated by name; `constants` feed its
 * `override`s. Bindings are group 0: the storage buffers in the order of `access`, then one uniform
 * block `params` of at most 64 words.
 */
export interface KernelSpec {
  readonly label: string;
  /** WGSL files to concatenate, in order. */
  readonly code: readonly string[];
  readonly access: readonly Access[];
  readonly constants?: Readonly<Record<string, number>>;
  readonly enable?: readonly string[];
}

export interface Kernel {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A buffer, or a part of it (bytes). */
export type Slice =
  | GPUBuffer
  | { readonly buffer: GPUBuffer; readonly offset?: number; readonly size?: number };

/** Parameters of one dispatch: u32 words; wrap floats with `f32Bits`. */
export type Params = readonly number[];

export type Groups = readonly [x: number, y?: number, z?: number];

/** Shader compilation failed; the message carries the kernel's name and the compiler's lines. */
export class KernelCompileError extends Error {
  override readonly name = "KernelCompileError";
}

const PARAM_BYTES = 256;
const RECORDER_SLOTS = 4096;

/** What this device offers beyond the core. */
export interface GpuFeatures {
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
}

/**
 * A device with our allocator and our one way to compile. Knows nothing of models.
 * Kernels with reductions are written against `lanes_*.wgsl`; `lanes` says which of them this
 * adapter gets (see `kernels/lanes.ts`).
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly memory: Memory;
  readonly features: GpuFeatures;
  readonly #kernels = new Map<string, Promise<Kernel>>();

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
   * Compiles a kernel, or returns the one that was compiled from the same code and constants.
   * @throws KernelCompileError
   */
  compile(spec: KernelSpec): Promise<Kernel> {
    const code = [...(spec.enable ?? []).map((name) => `enable ${name};`), ...spec.code].join("\n");
    const key = JSON.stringify([code, spec.constants ?? {}, spec.access]);
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(spec, code);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  async #compile({ label, access, constants = {} }: KernelSpec, code: string): Promise<Kernel> {
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
          buffer: { type: "uniform", hasDynamicOffset: true } as const,
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
      return { label, pipeline, layout };
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = code.split("\n");
      const told = messages.map(
        (m) => `${m.type} ${m.lineNum}:${m.linePos} ${m.message}\n  ${lines[m.lineNum - 1] ?? ""}`,
      );
      throw new KernelCompileError(`${label}: ${[String(cause), ...told].join("\n")}`, { cause });
    }
  }

  /** A recorder whose commands run at `submit`; it takes up to `slots` dispatches at a time. */
  recorder(label: string, slots: number = RECORDER_SLOTS): Recorder {
    return new Recorder(this, label, slots);
  }

  /** Copies `size` bytes out of a buffer. Waits for everything submitted so far. */
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

  bindGroup(kernel: Kernel, buffers: readonly Slice[], params: GPUBuffer): GPUBindGroup {
    return this.device.createBindGroup({
      label: kernel.label,
      layout: kernel.layout,
      entries: [
        ...buffers.map((slice, binding) => ({
          binding,
          resource: slice instanceof GPUBuffer ? { buffer: slice } : slice,
        })),
        { binding: buffers.length, resource: { buffer: params, size: PARAM_BYTES } },
      ],
    });
  }
}

interface Recorded {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly offset: number;
  readonly groups: Groups;
}

/**
 * Collects dispatches with their parameters. `submit` runs them once and starts over; `program`
 * freezes them for replay (decoding: bind groups and parameters are built once, then reused for
 * every token).
 */
export class Recorder {
  readonly #gpu: Gpu;
  readonly #label: string;
  readonly #slots: number;
  #recorded: Recorded[] = [];
  #params: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #uniforms: GPUBuffer | undefined;
  #keepsUniforms = false;

  constructor(gpu: Gpu, label: string, slots: number) {
    this.#gpu = gpu;
    this.#label = label;
    this.#slots = slots;
  }

  dispatch(kernel: Kernel, buffers: readonly Slice[], params: Params, groups: Groups): void {
    const slot = this.#recorded.length;
    if (slot === this.#slots) {
      throw new RangeError(`${this.#label}: more than ${this.#slots} dispatches before submit`);
    }
    if (slot === 0) this.#begin();
    this.#params.set(params, (slot * PARAM_BYTES) / 4);
    this.#recorded.push({
      kernel,
      group: this.#gpu.bindGroup(kernel, buffers, this.#uniforms as GPUBuffer),
      offset: slot * PARAM_BYTES,
      groups,
    });
  }

  get dispatches(): number {
    return this.#recorded.length;
  }

  /** Runs what was recorded. `after` may add copies to the same command buffer. */
  submit(after?: (encoder: GPUCommandEncoder) => void): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder({ label: this.#label });
    if (this.#recorded.length > 0) {
      device.queue.writeBuffer(
        this.#uniforms as GPUBuffer,
        0,
        this.#params,
        0,
        (this.#recorded.length * PARAM_BYTES) / 4,
      );
      encode(encoder, this.#label, this.#recorded);
    }
    after?.(encoder);
    device.queue.submit([encoder.finish()]);
    this.#recorded = [];
  }

  /** Frees the parameter buffer of a recorder that will not be used again. */
  destroy(): void {
    if (this.#uniforms && !this.#keepsUniforms) this.#gpu.memory.destroy(this.#uniforms);
    this.#uniforms = undefined;
    this.#recorded = [];
  }

  /** Freezes what was recorded. The recorder must not be used afterwards. */
  program(): Program {
    this.#keepsUniforms = true;
    const uniforms = this.#uniforms as GPUBuffer;
    this.#gpu.device.queue.writeBuffer(uniforms, 0, this.#params);
    return new Program(this.#gpu, this.#label, this.#recorded, uniforms);
  }

  #begin(): void {
    if (this.#uniforms) return;
    this.#params = new Uint32Array((this.#slots * PARAM_BYTES) / 4);
    this.#uniforms = this.#gpu.memory.create(
      "activations",
      `${this.#label} params`,
      this.#slots * PARAM_BYTES,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    );
  }
}

/** Frozen dispatches: `encode` them into a command buffer as often as needed. */
export class Program {
  readonly #gpu: Gpu;
  readonly #label: string;
  readonly #recorded: readonly Recorded[];
  readonly #uniforms: GPUBuffer;

  constructor(gpu: Gpu, label: string, recorded: readonly Recorded[], uniforms: GPUBuffer) {
    this.#gpu = gpu;
    this.#label = label;
    this.#recorded = recorded;
    this.#uniforms = uniforms;
  }

  encode(encoder: GPUCommandEncoder): void {
    encode(encoder, this.#label, this.#recorded);
  }

  get dispatches(): number {
    return this.#recorded.length;
  }

  destroy(): void {
    this.#gpu.memory.destroy(this.#uniforms);
  }
}

function encode(encoder: GPUCommandEncoder, label: string, recorded: readonly Recorded[]): void {
  const pass = encoder.beginComputePass({ label });
  let current: GPUComputePipeline | undefined;
  for (const { kernel, group, offset, groups } of recorded) {
    if (kernel.pipeline !== current) {
      pass.setPipeline(kernel.pipeline);
      current = kernel.pipeline;
    }
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(groups[0], groups[1] ?? 1, groups[2] ?? 1);
  }
  pass.end();
}

const bits = new DataView(new ArrayBuffer(4));

/** The bits of a float as a u32, for `Params`; read with `bitcast<f32>` in WGSL. */
export function f32Bits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint32(0);
}
