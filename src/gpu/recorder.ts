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
  readonly buffers: readonly Slice[];
  readonly group: GPUBindGroup;
  readonly groups: Groups;
}

/** What a program leaves to the one that replaces it. */
interface Frozen {
  readonly recorded: readonly Recorded[];
  readonly uniforms: GPUBuffer;
}

interface RecorderOptions {
  readonly label: string;
  /** Most dispatches of a submit or of a program. */
  readonly slots: number;
  /** Of a program that this one's replaces: what is bound to the same buffers stays. */
  readonly before?: Frozen | undefined;
}

/**
 * Collects dispatches with their parameters. `submit` runs them once and clears the recorder, but for bind groups: the next
 * recording takes those of the same buffers, as the chunks of a prefill have.
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
  /** Recorded before, in the same slots: what is bound to the same buffers is kept. */
  #before: readonly Recorded[];

  constructor(device: GPUDevice, memory: Memory, { label, slots, before }: RecorderOptions) {
    this.#device = device;
    this.#memory = memory;
    this.#label = label;
    this.#slots = slots;
    this.#before = before?.recorded ?? [];
    this.#uniforms = before?.uniforms;
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
    const { buffers, groups } = dispatch;
    const before = this.#before[slot];
    const isSame = before?.kernel === kernel && areSame(before.buffers, buffers);
    const group = isSame ? before.group : this.#bindGroup(kernel, buffers, offset);
    this.#recorded.push({ kernel, buffers, group, groups });
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
    this.#before = this.#recorded;
    this.#recorded = [];
  }

  /** Forgets the dispatches since the last submit: one of them could not be recorded. */
  discard(): void {
    this.#recorded = [];
  }

  /** Frees the parameter buffer of a recorder that will not be used again. */
  destroy(): void {
    if (this.#uniforms && !this.#keepsUniforms) this.#memory.destroy(this.#uniforms);
    this.#uniforms = undefined;
    this.#recorded = [];
    this.#before = [];
  }

  /** Freezes the recorded dispatches. The recorder must not be used afterwards. */
  program(): Program {
    this.#keepsUniforms = true;
    const uniforms = this.#uniforms as GPUBuffer;
    const bytes = this.#recorded.length * PARAM_BYTES;
    this.#device.queue.writeBuffer(uniforms, 0, this.#params.buffer, 0, bytes);
    return new Program(this.#memory, { recorded: this.#recorded, uniforms });
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
    if (this.#params.byteLength > 0) return;
    this.#params = new DataView(new ArrayBuffer(this.#slots * PARAM_BYTES));
    this.#uniforms ??= this.#memory.create(
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
  /** For a recorder with as many slots, which takes it over: this program must not be used afterwards. */
  readonly frozen: Frozen;

  constructor(memory: Memory, frozen: Frozen) {
    this.#memory = memory;
    this.frozen = frozen;
  }

  replay(pass: GPUComputePassEncoder): void {
    replay(pass, this.frozen.recorded);
  }

  /** Adds a pass of its own. */
  encode(encoder: GPUCommandEncoder, label: string): void {
    const pass = encoder.beginComputePass({ label });
    this.replay(pass);
    pass.end();
  }

  get dispatches(): number {
    return this.frozen.recorded.length;
  }

  destroy(): void {
    this.#memory.destroy(this.frozen.uniforms);
  }
}

function areSame(before: readonly Slice[], after: readonly Slice[]): boolean {
  return before.length === after.length && before.every((slice, at) => isSame(slice, after[at]!));
}

function isSame(a: Slice, b: Slice): boolean {
  if (a instanceof GPUBuffer || b instanceof GPUBuffer) return a === b;
  return a.buffer === b.buffer && a.offset === b.offset && a.size === b.size;
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
