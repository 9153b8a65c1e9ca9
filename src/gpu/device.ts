/** An adapter's description of itself, for display. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A software adapter: correct but slow. */
  readonly isFallback: boolean;
  /** Features that the device was given. */
  readonly features: readonly string[];
}

interface DeviceGrant {
  readonly device: GPUDevice;
  readonly adapter: AdapterFacts;
}

type DeviceProblem =
  | { readonly kind: "noAdapter" }
  | {
      readonly kind: "limit";
      readonly name: string;
      readonly had: number;
      readonly needed: number;
    };

/** No usable device: there is no WebGPU, or the adapter lacks a required limit. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly reason: "noWebGpu" | "missingLimit";
  /** What is missing, if there is WebGPU. */
  readonly problem?: DeviceProblem;

  constructor(
    reason: DeviceError["reason"],
    message: string,
    { problem, ...options }: ErrorOptions & { readonly problem?: DeviceProblem } = {},
  ) {
    super(message, options);
    this.reason = reason;
    if (problem) this.problem = problem;
  }
}

/** The limits that kernels may rely on: WebGPU's defaults. */
const NEEDED = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
} as const satisfies Partial<Record<keyof GPUSupportedLimits, number>>;

/** Optional features that our kernels and ONNX Runtime use. */
const WANTED: readonly string[] = ["shader-f16", "subgroups"];

interface DeviceOptions {
  /** Also request GPU timestamps. For profiling only: they slow some drivers down. */
  readonly timestamps?: boolean;
}

/**
 * Creates the device that ONNX Runtime and our kernels share: the high-performance adapter, with
 * those of the features and limits above that it offers.
 * @throws DeviceError
 */
export async function requestDevice(
  gpu: GPU | undefined = globalThis.navigator?.gpu,
  options: DeviceOptions = {},
): Promise<DeviceGrant> {
  if (!gpu) throw new DeviceError("noWebGpu", "This browser has no WebGPU.");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    const message = "This browser has WebGPU, but no graphics adapter for it.";
    throw new DeviceError("noWebGpu", message, { problem: { kind: "noAdapter" } });
  }
  const limits = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  const short = limits.find((name) => adapter.limits[name] < NEEDED[name]);
  if (short) {
    const [had, needed] = [adapter.limits[short], NEEDED[short]];
    const message = `This graphics adapter is too small: ${short} is ${had} where ${needed} are needed.`;
    const problem = { kind: "limit", name: short, had, needed } as const;
    throw new DeviceError("missingLimit", message, { problem });
  }
  const features = [...WANTED, ...(options.timestamps ? ["timestamp-query"] : [])].filter((name) =>
    adapter.features.has(name as GPUFeatureName),
  );
  try {
    const device = await adapter.requestDevice({
      label: "keepsight",
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
    });
    return { device, adapter: facts(adapter, features) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError("noWebGpu", `The graphics adapter refused a device: ${why}`, {
      cause,
      problem: { kind: "noAdapter" },
    });
  }
}

function facts(adapter: GPUAdapter, features: readonly string[]): AdapterFacts {
  const { info } = adapter;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description || info.device,
    isFallback: isFallback(adapter),
    features,
  };
}

/**
 * Browsers are moving the flag from the adapter to its `info`; some only give the software
 * adapter's name.
 */
function isFallback(adapter: GPUAdapter): boolean {
  const { info } = adapter;
  if (info.isFallbackAdapter) return true;
  if ((adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter) return true;
  const name = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
}
