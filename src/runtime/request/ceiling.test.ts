import { expect, it } from "vitest";
import { COMMAND_BYTES, ceilingTooLow, kvCeiling } from "./ceiling";

const pools = { weights: 50e6, kv: 10e6, activations: 0, vision: 0, reference: 0 };

it("is the cap, or what the limit leaves beside the scratch, whichever is lower", () => {
  const free = COMMAND_BYTES + 16e6;
  const at = (capMb?: number) => kvCeiling(capMb ? { capMb } : {}, { bytes: pools, free });
  expect(at()).toEqual({ bytes: 24e6, isCap: false });
  expect(at(20)).toEqual({ bytes: 20e6, isCap: true });
  expect(at(30)).toEqual({ bytes: 24e6, isCap: false });
});

it("is infinite without either", () => {
  const free = Number.POSITIVE_INFINITY;
  expect(kvCeiling({}, { bytes: pools, free }).bytes).toBe(Number.POSITIVE_INFINITY);
});

it("is told with what is needed, rounded so that both are true", () => {
  const bytes = 1_234_999;
  expect(ceilingTooLow({ bytes, isCap: true }, 2_340_001).failure).toEqual({
    code: "capTooSmall",
    message: "A cap of 1.23 MB is too small for this question: it needs 2.35 MB.",
    action: "newConversation",
    reason: { kind: "cap", capMb: 1.23, neededMb: 2.35 },
    neededMb: 2.35,
  });
  expect(ceilingTooLow({ bytes, isCap: false }, 2_340_001).failure).toMatchObject({
    code: "outOfMemory",
    message: expect.stringContaining("its cache needs 2.35 MB, and 1.23 MB are free"),
  });
});
