import type { Gpu } from "@/gpu/gpu";

/** GPU time of a compute pass, or of one dispatch. */
interface PassTime {
  readonly label: string;
  readonly us: number;
  /** When it ended, in microseconds from any moment. */
  readonly end: number;
}

/** Two timestamps a pass; the most that a query set holds is 4096. */
const MOST_PASSES = 2048;

/**
 * Measures compute passes on the GPU with timestamp queries. While it runs, every encoder of the device
 * writes a timestamp before and after each pass. Needs the feature `timestamp-query`.
 */
export class PassTimes {
  readonly #gpu: Gpu;
  readonly #create: GPUDevice["createCommandEncoder"];
  readonly #queries: GPUQuerySet;
  #labels: string[] = [];
  /** Dispatches since `run` began, measured or not. */
  dispatches = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#create = gpu.device.createCommandEncoder.bind(gpu.device);
    this.#queries = gpu.device.createQuerySet({ type: "timestamp", count: 2 * MOST_PASSES });
  }

  /**
   * Times every pass that `work` submits. `each`: every dispatch gets a pass of its own, named by its
   * kernel. A pass costs a few microseconds, so the sum exceeds the time of the whole pass.
   */
  async run(each: "pass" | "dispatch", work: () => Promise<unknown>): Promise<PassTime[]> {
    const { device } = this.#gpu;
    this.#labels = [];
    this.dispatches = 0;
    device.createCommandEncoder = (descriptor) => {
      const encoder = this.#create(descriptor);
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (pass = {}) =>
        each === "pass" ? this.#counted(begin, pass) : this.#split(begin);
      return encoder;
    };
    try {
      await work();
    } finally {
      device.createCommandEncoder = this.#create;
    }
    return this.#read();
  }

  destroy(): void {
    this.#queries.destroy();
  }

  #counted(begin: GPUCommandEncoder["beginComputePass"], descriptor: GPUComputePassDescriptor) {
    const pass = begin({ ...descriptor, ...this.#writes(descriptor.label ?? "") });
    const dispatch = pass.dispatchWorkgroups.bind(pass);
    pass.dispatchWorkgroups = (...groups) => {
      this.dispatches++;
      dispatch(...groups);
    };
    return pass;
  }

  /** Stands for a pass, and makes one of every dispatch. */
  #split(begin: GPUCommandEncoder["beginComputePass"]): GPUComputePassEncoder {
    let pipeline: GPUComputePipeline;
    let group: Parameters<GPUComputePassEncoder["setBindGroup"]>;
    const stand: Partial<GPUComputePassEncoder> = {
      setPipeline: (next: GPUComputePipeline) => {
        pipeline = next;
      },
      setBindGroup: ((...next: typeof group) => {
        group = next;
      }) as GPUComputePassEncoder["setBindGroup"],
      dispatchWorkgroups: (...groups) => {
        this.dispatches++;
        const pass = begin({ label: pipeline.label, ...this.#writes(pipeline.label) });
        pass.setPipeline(pipeline);
        pass.setBindGroup(...group);
        pass.dispatchWorkgroups(...groups);
        pass.end();
      },
      end: () => undefined,
    };
    return stand as GPUComputePassEncoder;
  }

  #writes(label: string): Partial<GPUComputePassDescriptor> {
    const at = 2 * this.#labels.length;
    if (at + 2 > 2 * MOST_PASSES) return {};
    this.#labels.push(label);
    const querySet = this.#queries;
    return {
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      },
    };
  }

  async #read(): Promise<PassTime[]> {
    const count = 2 * this.#labels.length;
    if (count === 0) return [];
    const { device } = this.#gpu;
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const ticks = device.createBuffer({ label: "timestamps", size: count * 8, usage });
    const encoder = this.#create({ label: "timestamps" });
    encoder.resolveQuerySet(this.#queries, 0, count, ticks, 0);
    device.queue.submit([encoder.finish()]);
    const values = new BigUint64Array(await this.#gpu.read(ticks));
    ticks.destroy();
    const us = (at: number) => Number((values[at] ?? 0n) - (values[0] ?? 0n)) / 1e3;
    return this.#labels.map((label, at) => {
      const end = us(2 * at + 1);
      return { label, us: end - us(2 * at), end };
    });
  }
}
