import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import greedy from "./sample_greedy.wgsl?raw";
import io from "./sample_io.wgsl?raw";
import slicesCode from "./sample_slices.wgsl?raw";
import softmax from "./sample_softmax.wgsl?raw";
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

/** Takes the highest logit. */
export const GREEDY: SampleSettings = { temperature: 0, topK: 0, topP: 1, seed: 0 };

/** Words of `SampleArgs.sampled`. */
export const SAMPLED_WORDS = 3;

/** Id if no logit could be compared, because the model computed NaN. */
export const NO_ID = 0xffff_ffff;

interface SampleArgs {
  /** f32 [vocabulary] */
  readonly logits: Slice;
  /** f32 [`sampleSlices(vocabulary)`, 4], scratch. */
  readonly slices: GPUBuffer;
  /** u32 [`SAMPLED_WORDS`]: the id, the number of draws, and the bits of the id's log-probability. */
  readonly sampled: GPUBuffer;
  readonly vocabulary: number;
  /** An id that is never sampled, such as the one that stands for rows of an image. */
  readonly excludedId?: number | undefined;
  readonly settings: SampleSettings;
}

export type Sampler = (recorder: Recorder, args: SampleArgs) => void;

/** Ids of a slice. */
const SLICE = 32;
/** Slices of a workgroup, each of which one invocation reads. */
const SLICES_PER_GROUP = 64;
/** Invocations of the one unit that looks at all slices. */
const LAST_WIDTH = 256;

/** Slices of a vocabulary: the length of `SampleArgs.slices`, in vec4. */
export function sampleSlices(vocabulary: number): number {
  return Math.ceil(vocabulary / SLICE);
}

/** Samples a token on the GPU: one pass over slices of the logits, then one over the slices. */
export async function createSampler(gpu: Gpu, reduction: Reduction): Promise<Sampler> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const last = reduction === "one" ? constants : { ...constants, WORKGROUP: LAST_WIDTH };
  const compile = (label: string, wgsl: readonly string[], sizes: typeof constants) =>
    gpu.compile({
      label: `${label} ${reduction}`,
      code: [io, ...wgsl],
      access: ["read", "write", "write"],
      params: {
        vocabulary: "u32",
        slices: "u32",
        inverseTemperature: "f32",
        topK: "u32",
        topP: "f32",
        seed: "u32",
        excluded: "u32",
      },
      enable,
      constants: sizes,
    });
  const [sliceKernel, greedyKernel, topKernel] = await Promise.all([
    compile("sample_slices", [slicesCode], { WORKGROUP: SLICES_PER_GROUP }),
    compile("sample_greedy", [code, softmax, greedy], last),
    compile("sample_top", [code, softmax, top], last),
  ]);

  return (recorder, { logits, slices, sampled, vocabulary, excludedId, settings }) => {
    const { temperature, topK, topP, seed } = settings;
    const count = sampleSlices(vocabulary);
    const buffers = [logits, slices, sampled];
    const params = {
      vocabulary,
      slices: count,
      inverseTemperature: temperature > 0 ? 1 / temperature : 0,
      topK,
      topP,
      seed,
      excluded: excludedId ?? NO_ID,
    };
    const groups = Math.ceil(count / SLICES_PER_GROUP);
    recorder.dispatch(sliceKernel, { buffers, params, groups: [groups] });
    const kernel = temperature > 0 ? topKernel : greedyKernel;
    recorder.dispatch(kernel, { buffers, params, groups: unitGroups(reduction, 1) });
  };
}
