import { create, globals } from "webgpu";
import { Gpu } from "@/gpu/gpu";

Object.assign(globalThis, globals);

/** Devices end the process if their WebGPU object was collected. */
const alive: GPU[] = [];

/** WebGPU under Node, with optional features of Dawn (`toggles`) that it hides by default. Timestamps are exact: browsers round them. */
export function dawnWith(toggles: readonly string[]): GPU {
  const enabled = toggles.length > 0 ? [`enable-dawn-features=${toggles.join(",")}`] : [];
  const gpu = create(["disable-dawn-features=timestamp_quantization", ...enabled]) as GPU;
  alive.push(gpu);
  return gpu;
}

export const dawn = dawnWith([]);

/**
 * Creates a device on the machine's adapter (Dawn under Node; a software adapter if there is no
 * GPU).
 */
export async function createNodeGpu(
  features: readonly string[] = ["subgroups", "shader-f16"],
): Promise<Gpu> {
  const adapter = await dawn.requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter under Node");
  const device = await adapter.requestDevice({
    requiredFeatures: (features as GPUFeatureName[]).filter((name) => adapter.features.has(name)),
  });
  device.addEventListener("uncapturederror", (event) => {
    throw (event as GPUUncapturedErrorEvent).error;
  });
  return new Gpu(device);
}
