import type { Gpu } from "@/gpu/gpu";
import type { Program } from "@/gpu/recorder";
import { type ForwardModel, recordProducts } from "./forward";
import { stepProducts } from "./layerKernels";

/** Upper bound of a layer's dispatches; a matrix in parts has several. */
const SLOTS = 64;

/** The products of every layer in a decoding step: they depend on no cache, so they are recorded once. */
export function recordProductPrograms(gpu: Gpu, model: ForwardModel): readonly Program[] {
  const layerKernels = stepProducts(model);
  return model.weights.layers.map((_, layer) => {
    const recorder = gpu.recorder("decode", SLOTS);
    recordProducts(model, recorder, { layerKernels }, layer);
    return recorder.program();
  });
}
