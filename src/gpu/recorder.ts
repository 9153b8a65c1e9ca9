import {
  type Dispatch,
  type Groups,
  type Kernel,
  PARAM_BYTES,
  type ParamTypes,
  type Slice,
} from "./kernel";
import type { Memory } from "./memory";

interface Recorded {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly groups: Groups;
}

/**
 * Collects dispatches with their parameters. `submit` runs them once and clears the recorder.
 * `program` freezes them for replay: decoding builds bind groups and parameters once and reuses
 * them for every token.
 */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #memory: Memory;
  readonly #label: string;
  readonly #slots: number;
  #recorded: Recorded[] = [];
  #params = new DataView(new ArrayBuffer(0));
  #uniforms: GPUBuffer | undefined;
  #keepsUniforms = false;

  constructor(device: GPUDevice, memory: Memory, label: string, slots: number) {
    this.#device = device;
    this.#memory = memory;
    this.#label = label;
    this.#slots = slots;
  }

  /** Records one dispatch. @throws RangeError with more dispatches than slots before `submit` */
  dispatch<P extends ParamTypes>(kernel: Kernel<P>, dispatch: Dispatch<NoInfer<P>>): void {
    const slot = this.#recorded.length;
    if (slot === this.#slots) {
      throw new RangeError(`${this.#label}: more than ${this.#slots} dispatches before submit`);
    }
    if (slot === 0) this.#begin();
    const offset = slot * PARAM_BYTES;
    this.#writeParams(kernel.params, dispatch.params, offset);
    const group = this.#bindGroup(kernel, dispatch.buffers, offset);
    this.#recorded.push({ kernel, group, groups: dispatch.groups });
  }

  get dispatches(): number {
    return this.#recorded.length;
  }

  /** Runs the recorded dispatches. `after` may add copies to the same command buffer. */
  submit(after?: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.createCommandEncoder({ label: this.#label });
    if (this.#recorded.length > 0) {
      const bytes = this.#recorded.length * PARAM_BYTES;
      const uniforms = this.#uniforms as GPUBuffer;
      this.#device.queue.writeBuffer(uniforms, 0, this.#params.buffer, 0, bytes);
      const pass = encoder.beginComputePass({ label: this.#label });
      replay(pass, this.#recorded);
      pass.end();
    }
    after?.(encoder);
    this.#device.queue.submit([encoder.finish()]);
    this.#recorded = [];
  }

  /** Frees the parameter buffer of a recorder that will not be used again. */
  destroy(): void {
    if (this.#uniforms && !this.#keepsUniforms) this.#memory.destroy(this.#uniforms);
    this.#uniforms = undefined;
    this.#recorded = [];
  }

  /** Freezes the recorded dispatches. The recorder must not be used afterwards. */
  program(): Program {
    this.#keepsUniforms = true;
    const uniforms = this.#uniforms as GPUBuffer;
    this.#device.queue.writeBuffer(uniforms, 0, this.#params.buffer);
    return new Program(this.#memory, this.#recorded, uniforms);
  }

  /** Writes the values at `offset`, a word per parameter in the order of their types. */
  #writeParams(types: ParamTypes, values: Readonly<Record<string, number>>, offset: number): void {
    let at = offset;
    for (const [name, type] of Object.entries(types)) {
      const value = values[name] as number;
      if (type === "f32") this.#params.setFloat32(at, value, true);
      else this.#params.setUint32(at, value, true);
      at += 4;
    }
  }

  #bindGroup({ label, layout }: Kernel, buffers: readonly Slice[], offset: number): GPUBindGroup {
    const params = { buffer: this.#uniforms as GPUBuffer, offset, size: PARAM_BYTES };
    return this.#device.createBindGroup({
      label,
      layout,
      entries: [
        ...buffers.map((slice, binding) => ({
          binding,
          resource: slice instanceof GPUBuffer ? { buffer: slice } : slice,
        })),
        { binding: buffers.length, resource: params },
      ],
    });
  }

  #begin(): void {
    if (this.#uniforms) return;
    this.#params = new DataView(new ArrayBuffer(this.#slots * PARAM_BYTES));
    this.#uniforms = this.#memory.create(
      "activations",
      `${this.#label} params`,
      this.#slots * PARAM_BYTES,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    );
  }
}

/** Frozen dispatches; `replay` adds them to a pass, any number of times. */
export class Program {
  readonly #memory: Memory;
  readonly #recorded: readonly Recorded[];
  readonly #uniforms: GPUBuffer;

  constructor(memory: Memory, recorded: readonly Recorded[], uniforms: GPUBuffer) {
    this.#memory = memory;
    this.#recorded = recorded;
    this.#uniforms = uniforms;
  }

  replay(pass: GPUComputePassEncoder): void {
    replay(pass, this.#recorded);
  }

  /** Adds a pass of its own. */
  encode(encoder: GPUCommandEncoder, label: string): void {
    const pass = encoder.beginComputePass({ label });
    this.replay(pass);
    pass.end();
  }

  get dispatches(): number {
    return this.#recorded.length;
  }

  destroy(): void {
    this.#memory.destroy(this.#uniforms);
  }
}

function replay(pass: GPUComputePassEncoder, recorded: readonly Recorded[]): void {
  let current: GPUComputePipeline | undefined;
  for (const { kernel, group, groups } of recorded) {
    if (kernel.pipeline !== current) {
      pass.setPipeline(kernel.pipeline);
      current = kernel.pipeline;
    }
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups[0], groups[1] ?? 1, groups[2] ?? 1);
  }
}
