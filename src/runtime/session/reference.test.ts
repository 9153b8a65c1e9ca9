import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Memory } from "@/gpu/memory";
import { fakeDevice, stubGpuConstants } from "../../../test/fakeGpu";
import type { Job, Prefilled, StageContext } from "../stages/job";
import { ReferenceLane } from "./reference";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

const LOGITS_BYTES = 8e6;
const lane = { result: { answer: "12" } } as Parameters<ReferenceLane["addTo"]>[0][number];

/** A question whose prefill fits under a limit. */
function asked(device = fakeDevice(), limit = Number.POSITIVE_INFINITY) {
  const memory = Object.assign(new Memory(device), { limit });
  const decoder = { activations: { logits: { size: LOGITS_BYTES } } };
  const context = { model: { gpu: { device, memory }, decoder }, io: {} };
  const progress = { fork: () => progress };
  const turn = { settings: { scope: "visual" }, request: { sampling: { maxNewTokens: 4 } } };
  const job = { ...context, turn, progress } as unknown as Job;
  const cache = { bytes: 0, rowBytes: 2, countIn() {}, destroy() {} };
  const reference = new ReferenceLane(context as unknown as StageContext);
  const take = () => reference.takeOver(job, { cache } as unknown as Prefilled, [[[8]]]);
  return { reference, memory, take };
}

it("takes over the shared prefill with a copy of its logits", async () => {
  const { reference, memory, take } = asked();
  expect(await take()).toBe(true);
  expect(memory.bytes.activations).toBe(LOGITS_BYTES);
  reference.destroy();
  expect(memory.bytes.activations).toBe(0);
});

it("is missing for want of memory if the limit leaves no room for the logits", async () => {
  const { reference, memory, take } = asked(fakeDevice(), LOGITS_BYTES - 4);
  expect(await take()).toBe(false);
  expect(memory.bytes.activations).toBe(0);
  const [judged] = await reference.addTo([lane]);
  expect(judged?.result).toEqual({ answer: "12", reference: { missing: "memory" } });
});

it("is missing for want of memory, and leaves no buffer, if the driver refuses the logits", async () => {
  const device = fakeDevice();
  device.popErrorScope = async () => ({ message: "no memory" });
  const { reference, memory, take } = asked(device);
  expect(await take()).toBe(false);
  expect(memory.bytes.activations).toBe(0);
  expect(() => memory.check()).not.toThrow();
  const [judged] = await reference.addTo([lane]);
  expect(judged?.result?.reference).toEqual({ missing: "memory" });
});
