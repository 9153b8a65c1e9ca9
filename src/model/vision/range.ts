import type { Gpu } from "@/gpu/gpu";
import type { Matmul } from "@/gpu/kernels/matmul/matmul";
import { createMaxAbs, type MaxAbs } from "@/gpu/kernels/vision/maxAbs";
import type { Variants } from "@/gpu/variants";

/** The largest f16. */
const MOST_F16 = 65_504;

/** Other images than the measured one may reach further by this factor. */
const MARGIN = 4;

/** An encoder's activations are too large for f16, so that it computes in f32. */
export interface RangeNotice {
  readonly code: "encoderRange";
  /** The largest magnitude. */
  readonly most: number;
}

/** How an encoder computes its products. */
export interface EncoderProducts {
  readonly variants: Variants;
  /** Measures the products whose inputs may be rounded. */
  readonly meter?: RangeMeter | undefined;
}

/** Whether f16 holds an encoder's activations. @param most the largest magnitude of one image's */
export function fitsF16(most: number): boolean {
  return most <= MOST_F16 / MARGIN;
}

/** Measures the inputs of products while they run. */
export class RangeMeter {
  readonly #gpu: Gpu;
  readonly #maxAbs: MaxAbs;
  readonly #most: GPUBuffer;

  private constructor(gpu: Gpu, maxAbs: MaxAbs) {
    this.#gpu = gpu;
    this.#maxAbs = maxAbs;
    this.#most = gpu.memory.storage("activations", "range", 4);
  }

  static async create(gpu: Gpu): Promise<RangeMeter> {
    return new RangeMeter(gpu, await createMaxAbs(gpu));
  }

  /** A product that is measured, too. */
  on(product: Matmul): Matmul {
    return (recorder, args) => {
      const length = args.rows * args.matrix.columns;
      this.#maxAbs(recorder, { input: args.input, most: this.#most, length });
      product(recorder, args);
    };
  }

  /** The largest magnitude so far; the largest number if something was not finite. Waits for the GPU. */
  async read(): Promise<number> {
    const [most = 0] = new Float32Array(await this.#gpu.read(this.#most));
    return Number.isFinite(most) ? most : Number.MAX_VALUE;
  }

  destroy(): void {
    this.#gpu.memory.destroy(this.#most);
  }
}
