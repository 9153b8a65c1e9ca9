import { describe, expect, it } from "vitest";
import { DeviceError, requestDevice } from "./device";

/** Limits that suffice, whatever their name. */
const LIMITS = new Proxy({}, { get: () => 2 ** 31 }) as GPUSupportedLimits;

interface FakeAdapter {
  readonly limits?: object;
  readonly info?: Partial<GPUAdapterInfo>;
  readonly features?: readonly string[];
  readonly isFallbackAdapter?: boolean;
  readonly refuses?: boolean;
}

/** A WebGPU with one adapter, and the descriptor that its device was asked for. */
function fakeGpu({ limits = LIMITS, info = {}, features = [], ...rest }: FakeAdapter) {
  const asked: GPUDeviceDescriptor[] = [];
  const adapter = {
    limits,
    info: { vendor: "acme", architecture: "a1", device: "", description: "", ...info },
    features: new Set(features),
    isFallbackAdapter: rest.isFallbackAdapter,
    requestDevice: async (descriptor: GPUDeviceDescriptor) => {
      if (rest.refuses) throw new Error("busy");
      asked.push(descriptor);
      return { label: descriptor.label };
    },
  };
  return { gpu: { requestAdapter: async () => adapter } as unknown as GPU, asked };
}

async function failureOf(gpu: GPU | undefined): Promise<DeviceError> {
  const error = await requestDevice(gpu).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeviceError);
  return error as DeviceError;
}

describe("requestDevice", () => {
  it("asks for all that the adapter offers of the limits, and for features that are there", async () => {
    const { gpu, asked } = fakeGpu({ features: ["subgroups", "timestamp-query", "other"] });
    const { adapter } = await requestDevice(gpu);
    expect(adapter.features).toEqual(["subgroups"]);
    expect(asked[0]?.requiredFeatures).toEqual(["subgroups"]);
    expect(asked[0]?.requiredLimits).toMatchObject({ maxBufferSize: 2 ** 31 });
    const profiled = await requestDevice(gpu, { timestamps: true });
    expect(profiled.adapter.features).toEqual(["subgroups", "timestamp-query"]);
  });

  it("says why there is no device", async () => {
    // `undefined` would be the runtime's own WebGPU.
    const none = { requestAdapter: async () => null } as unknown as GPU;
    expect(await failureOf(none)).toMatchObject({ reason: "noWebGpu" });
    const small = { ...Object.fromEntries(NAMES.map((name) => [name, 2 ** 31])), maxBufferSize: 9 };
    const missing = await failureOf(fakeGpu({ limits: small }).gpu);
    expect(missing.reason).toBe("missingLimit");
    expect(missing.message).toContain("maxBufferSize is 9 where 268435456");
    const refused = await failureOf(fakeGpu({ refuses: true }).gpu);
    expect(refused.reason).toBe("noWebGpu");
    expect(refused.message).toContain("busy");
  });

  it.each([
    ["the info's flag", { info: { isFallbackAdapter: true } }],
    ["the adapter's flag", { isFallbackAdapter: true }],
    ["its name", { info: { description: "SwiftShader Device (LLVM 10)" } }],
  ])("knows a software adapter by %s", async (_, fake) => {
    const { adapter } = await requestDevice(fakeGpu(fake).gpu);
    expect(adapter.isFallback).toBe(true);
  });

  it("takes others for GPUs, and describes them", async () => {
    const { adapter } = await requestDevice(fakeGpu({ info: { device: "X 100" } }).gpu);
    expect(adapter).toMatchObject({ isFallback: false, vendor: "acme", description: "X 100" });
  });
});

const NAMES = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
];
