import type { Gpu } from "../../gpu";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import greedy from "./sample_greedy.wgsl?raw";
import io from "./sample_io.wgsl?raw";
import top from "./sample_top.wgsl?raw";

/** How the next token is chosen. */
export interface SampleSettings {
  /** 0 takes the highest logit. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** The same seed gives the same tokens. */
  readonly seed: number;
}

/** Words of `SampleArgs.sampled`. */
export const SAMPLED_WORDS = 3;

/** Id if no logit could be compared, because the model computed NaN. */
export const NO_ID = 0xffff_ffff;

export interface SampleArgs {
  /** f32 [vocabulary] */
  readonly logits: GPUBuffer;
  /** u32 [`SAMPLED_WORDS`]: the id, the number of draws, and the bits of the id's log-probability. */
  readonly sampled: GPUBuffer;
  readonly vocabulary: number;
  /** An id that is never sampled, such as the one that stands for rows of an image. */
  readonly excludedId?: number | undefined;
  readonly settings: SampleSettings;
}

export type Sampler = (recorder: Recorder, args: SampleArgs) => void;

/** Samples a token on the GPU. */
export async function createSampler(gpu: Gpu, reduction: Reduction): Promise<Sampler> {
  const { code, enable, constants } = reductionCode(reduction);
  const compile = (label: string, wgsl: string) =>
    gpu.compile({
      label: `${label} ${reduction}`,
      code: [code, io, wgsl],
      access: ["read", "write"],
      params: {
        vocabulary: "u32",
        inverseTemperature: "f32",
        topK: "u32",
        topP: "f32",
        seed: "u32",
        excluded: "u32",
      },
      enable,
      constants,
    });
  const [greedyKernel, topKernel] = await Promise.all([
    compile("sample_greedy", greedy),
    compile("sample_top", top),
  ]);

  return (recorder, { logits, sampled, vocabulary, excludedId, settings }) => {
    const { temperature, topK, topP, seed } = settings;
    const excluded = excludedId ?? NO_ID;
    const kernel = temperature > 0 ? topKernel : greedyKernel;
    recorder.dispatch(kernel, {
      buffers: [logits, sampled],
      params: { vocabulary, inverseTemperature: 1 / temperature, topK, topP, seed, excluded },
      groups: unitGroups(reduction, 1),
    });
  };
}
