import type { Gpu, Kernel, Slice } from "./gpu";

/** Parameters of one dispatch: u32 words; wrap floats with `f32Bits`. */
export type Params = readonly number[];

export type Groups = readonly [x: number, y?: number, z?: number];

/** Bytes of a dispatch's uniform block; also the alignment of its dynamic offset. */
export const PARAM_BYTES = 256;

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
