import { create, globals } from "webgpu";
import { Gpu } from "@/gpu/gpu";

Object.assign(globalThis, globals);

/** WebGPU under Node. The object must live as long as its devices. Timestamps are exact: browsers round them. */
export const dawn = create(["disable-dawn-features=timestamp_quantization"]) as GPU;

/**
 * Creates a device on the machine's adapter (Dawn under Node; a software adapter if there is no
 * GPU).
 */
export async function createNodeGpu(
  features: readonly GPUFeatureName[] = ["subgroups" as GPUFeatureName],
): Promise<Gpu> {
  const adapter = await dawn.requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter under Node");
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
  });
  device.addEventListener("uncapturederror", (event) => {
    throw (event as GPUUncapturedErrorEvent).error;
  });
  return new Gpu(device);
}
