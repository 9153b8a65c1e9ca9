import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ProcessedImage } from "../families/family";
import type { EncodeOptions, ImageFeatures, VisionEncoder } from "./encoder";
import { fitsF16, RangeMeter, type RangeNotice } from "./range";

/** Where the largest magnitude of an encoder's activations is kept, for its weights and the adapter. */
export interface RangeMemory {
  recall(): Promise<number | undefined>;
  keep(most: number): Promise<void>;
}

/** Encoders over the same weights. @param meter measures its products */
export type MakeEncoder = (variants: Variants, meter?: RangeMeter) => Promise<VisionEncoder>;

interface RangedInput {
  readonly make: MakeEncoder;
  /** With products in f16. */
  readonly variants: Variants;
  readonly memory: RangeMemory;
}

/**
 * An encoder on an adapter whose fastest products hold their factors in f16. Some encoders have activations that
 * f16 does not hold. So the first image is encoded in f32 and its activations are measured: f16 is used from then on
 * if they fit, with a margin. The result is remembered.
 */
export class RangedEncoder implements VisionEncoder {
  readonly #input: RangedInput;
  #encoder: VisionEncoder;
  /** Until the first image. */
  #meter: RangeMeter | undefined;
  #notices: readonly RangeNotice[] = [];

  private constructor(input: RangedInput, encoder: VisionEncoder, meter?: RangeMeter) {
    this.#input = input;
    this.#encoder = encoder;
    this.#meter = meter;
  }

  /** @throws KernelCompileError */
  static async create(gpu: Gpu, input: RangedInput): Promise<RangedEncoder> {
    const { make, variants, memory } = input;
    const most = await memory.recall();
    if (most !== undefined) {
      const encoder = await make(chosen(variants, most));
      const known = new RangedEncoder(input, encoder);
      known.#notices = noticesOf(most);
      return known;
    }
    const meter = await RangeMeter.create(gpu);
    try {
      const exact = await make(inF32(variants), meter);
      return new RangedEncoder(input, exact, meter);
    } catch (error) {
      meter.destroy();
      throw error;
    }
  }

  get tensorBytes(): number {
    return this.#encoder.tensorBytes;
  }

  get smaller(): VisionEncoder["smaller"] {
    return this.#encoder.smaller;
  }

  get notices(): readonly RangeNotice[] {
    return this.#notices;
  }

  async encode(image: ProcessedImage, options: EncodeOptions = {}): Promise<ImageFeatures> {
    const features = await this.#encoder.encode(image, options);
    const meter = this.#meter;
    if (!meter) return features;
    this.#meter = undefined;
    const most = await meter.read();
    meter.destroy();
    const { make, variants, memory } = this.#input;
    this.#encoder = await make(chosen(variants, most));
    await memory.keep(most);
    return { ...features, notices: noticesOf(most) };
  }

  project(rows: Float32Array<ArrayBuffer>): GPUBuffer {
    const { project } = this.#encoder;
    if (!project) throw new Error("this encoder's connector takes several rows at once");
    return project.call(this.#encoder, rows);
  }

  async release(): Promise<void> {
    this.#meter?.destroy();
    this.#meter = undefined;
    await this.#encoder.release();
  }
}

function inF32(variants: Variants): Variants {
  return { ...variants, matmul: "tiled" };
}

function chosen(variants: Variants, most: number): Variants {
  return fitsF16(most) ? variants : inF32(variants);
}

function noticesOf(most: number): readonly RangeNotice[] {
  return fitsF16(most) ? [] : [{ code: "encoderRange", most: Math.round(most) }];
}
