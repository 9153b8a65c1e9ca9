import { afterEach, describe, expect, it, vi } from "vitest";
import { PolicyError } from "@/compression/types";
import { DeviceError } from "@/gpu/device";
import { Memory, OutOfMemoryError } from "@/gpu/memory";
import { SelfTestError } from "@/gpu/selfTest/selfTest";
import { ImageError } from "@/images/imageError";
import { EvictionError } from "@/model/eviction/evictionRound";
import { ModelError } from "@/model/modelError";
import { PromptError } from "@/model/prompt/promptError";
import { EngineError } from "@/protocol/failure";
import { asEngineError, DeviceFaults, isAbort, isOutOfMemory, modelTooLarge } from "./failures";

const aborted = new DOMException("Stopped.", "AbortError");

afterEach(() => vi.unstubAllGlobals());

it("offers smaller weights where a model does not fit, until there are none", () => {
  const cause = new OutOfMemoryError("weights", 3e9, 1e9);
  const failures = ([undefined, "f16", "q8", "q4"] as const).map(
    (type) => modelTooLarge(cause, type).failure,
  );
  const offers = failures.map(({ action, message }) => [action, message.split(". ")[1]]);
  expect(offers).toEqual([
    ["smallerWeights", "Weights in 8 or 4 bits need less."],
    ["smallerWeights", "Weights in 8 or 4 bits need less."],
    ["smallerWeights", "Weights in 4 bits need less."],
    [undefined, undefined],
  ]);
});

describe("asEngineError", () => {
  it.each([
    [new DeviceError("missingLimit", "Small."), { code: "missingLimit", message: "Small." }],
    [
      new SelfTestError("Wrong."),
      { code: "noWebGpu", message: "Wrong.", reason: { kind: "wrongResults" } },
    ],
    [new PolicyError("No."), { code: "badRequest", message: "No." }],
    [new EvictionError("No."), { code: "badRequest", message: "No." }],
    [new PromptError("No."), { code: "badModel", message: "No." }],
    [new ModelError("badModel", "No."), { code: "badModel", message: "No." }],
    [new ModelError("network", "Cut."), { code: "badModel", message: "Cut.", action: "retry" }],
    [
      new ModelError("contextOverflow", "Long."),
      { code: "contextOverflow", message: "Long.", action: "newConversation" },
    ],
    [
      new ImageError({ kind: "imageMemory" }, "Large."),
      {
        code: "outOfMemory",
        message: "Large.",
        reason: { kind: "imageMemory" },
        action: "chooseImage",
      },
    ],
    [aborted, { code: "cancelled", message: "Stopped." }],
  ])("gives %s its code, sentence and action", (error, failure) => {
    const mapped = asEngineError(error);
    expect(mapped.failure).toEqual(failure);
    expect(mapped.cause).toBe(error);
  });

  it("leaves an EngineError as it is", () => {
    const error = new EngineError({ code: "busy", message: "Busy." });
    expect(asEngineError(error)).toBe(error);
  });

  it("reports anything else as internal, to be tried again", () => {
    for (const error of [new TypeError("x is not a function"), "x is not a function"]) {
      expect(asEngineError(error).failure).toEqual({
        code: "internal",
        message: "The engine failed unexpectedly.",
        action: "retry",
        detail: "x is not a function",
      });
    }
  });
});

describe("out of memory", () => {
  class GpuError {}

  it("is a type: ours, WebGPU's or the engine's code", () => {
    vi.stubGlobal("GPUOutOfMemoryError", GpuError);
    const failure = { code: "outOfMemory", message: "Full." } as const;
    const errors = [new OutOfMemoryError("kv", 9), new GpuError(), new EngineError(failure)];
    for (const error of errors) expect(isOutOfMemory(error)).toBe(true);
    expect(asEngineError(errors[0]).failure).toMatchObject({
      code: "outOfMemory",
      action: "keepLess",
    });
  });

  it("is the browser's error for an array, and no other RangeError", () => {
    expect(isOutOfMemory(new RangeError("Array buffer allocation failed"))).toBe(true);
    expect(isOutOfMemory(new RangeError("rows exceed the array buffer"))).toBe(false);
    expect(isOutOfMemory(new Error("Array buffer allocation failed"))).toBe(false);
    expect(isOutOfMemory(aborted)).toBe(false);
  });
});

it("tells a stop from other DOM exceptions", () => {
  expect(isAbort(aborted)).toBe(true);
  expect(isAbort(new DOMException("Full.", "QuotaExceededError"))).toBe(false);
});

describe("device faults", () => {
  class GpuError {
    readonly message: string;
    constructor(message: string) {
      this.message = message;
    }
  }

  /** As much of a device as is watched. */
  function fakeDevice() {
    const target = new EventTarget();
    let lose: (info: { message: string }) => void = () => {};
    const lost = new Promise<{ message: string }>((resolve) => {
      lose = resolve;
    });
    const report = (error: unknown) =>
      target.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
    const device = Object.assign(target, { lost }) as unknown as GPUDevice;
    return { gpu: { device, memory: new Memory(device) }, report, lose };
  }

  it("throw the first error since the last check, once", () => {
    vi.stubGlobal("GPUOutOfMemoryError", GpuError);
    const { gpu, report } = fakeDevice();
    const faults = new DeviceFaults(gpu, () => {});
    expect(() => faults.check()).not.toThrow();
    report({ message: "no such buffer" });
    report(new GpuError("later"));
    expect(() => faults.check()).toThrow("no such buffer");
    expect(() => faults.check()).not.toThrow();
    report(new GpuError("full"));
    expect(() => faults.check()).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: "outOfMemory" }) }),
    );
  });

  it("throw deviceLost at every check once the device is lost", async () => {
    const { gpu, lose } = fakeDevice();
    const heard: string[] = [];
    const faults = new DeviceFaults(gpu, (why) => heard.push(why));
    lose({ message: "driver reset" });
    await Promise.resolve();
    expect(heard).toEqual(["driver reset"]);
    const lost = expect.objectContaining({
      failure: expect.objectContaining({ code: "deviceLost", action: "reload" }),
    });
    expect(() => faults.check()).toThrow(lost);
    expect(() => faults.check()).toThrow(lost);
  });
});
