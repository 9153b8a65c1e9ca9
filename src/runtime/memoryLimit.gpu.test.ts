import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { create } from "webgpu";
import { requestDevice } from "@/gpu/device";
import { Gpu } from "@/gpu/gpu";
import { OutOfMemoryError } from "@/gpu/memory";
import { greedy } from "@/protocol/defaults";
import type { EngineEvent } from "@/protocol/event";
import { NO_MEMORY } from "@/protocol/event";
import type { AskRequest, Turn } from "@/protocol/request";
import { createTestEngine } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskUrl } from "../../test/files";
import { COMMAND_BYTES } from "./request/ceiling";

const baseUrl = diskUrl(`${FAMILY_FIXTURES}/llama`);

/** A question of about `words` rows, after earlier turns. */
function asked(words: number, earlier: readonly Turn[] = []): AskRequest {
  const question = Array.from({ length: words }, (_, i) => `${i % 10}`).join(" ");
  return {
    turns: [...earlier, { images: [], question }],
    images: {},
    settings: { policy: "snapkv", retention: 1, scope: "prompt", options: {} },
    sampling: greedy(4),
  };
}

describe("an engine with little memory", () => {
  const engine = createTestEngine();
  let most = 0;
  /** Megabytes of the loaded model, and with what its first question allocates for all others. */
  let [modelMb, usedMb] = [0, 0];
  const heldMb = async () => {
    const { weights, activations } = await engine.memory();
    return (weights + activations) / 1e6;
  };

  beforeAll(async () => {
    engine.subscribe((event: EngineEvent) => {
      if (event.type !== "memory") return;
      const { weights, kv, activations, vision } = event.pools;
      most = Math.max(most, weights + kv + activations + vision);
    });
    await engine.load({ baseUrl });
    modelMb = await heldMb();
    await engine.ask(asked(8));
    await engine.clear();
    usedMb = await heldMb();
  });
  beforeEach(() => {
    most = 0;
  });

  it("refuses a model that does not fit, with both numbers, and holds nothing of it", async () => {
    const failure = { code: "outOfMemory", message: expect.stringMatching(/it needs .*are free/) };
    await expect(engine.load({ baseUrl, memoryMb: 0.01 })).rejects.toMatchObject({ failure });
    expect(await engine.memory()).toEqual(NO_MEMORY);
    // Here the weights fit, and the activations do not.
    const memoryMb = 0.9 * modelMb;
    await expect(engine.load({ baseUrl, memoryMb })).rejects.toMatchObject({ failure });
    expect(await engine.memory()).toEqual(NO_MEMORY);
  });

  it("drops rows of earlier turns instead of exceeding the limit", async () => {
    const memoryMb = usedMb + (COMMAND_BYTES + 150_000) / 1e6;
    await engine.load({ baseUrl, memoryMb });
    const turns: Turn[] = [];
    const notices: unknown[] = [];
    for (let turn = 0; turn < 12; turn++) {
      const request = asked(60, turns);
      const result = await engine.ask(request);
      turns.push({ ...request.turns.at(-1)!, answerIds: result.tokenIds });
      notices.push(...result.notices);
    }
    expect(notices).toContainEqual({ code: "earlierDropped", megabytes: expect.any(Number) });
    expect(most).toBeLessThanOrEqual(memoryMb * 1e6);
    expect(most).toBeGreaterThan(modelMb * 1e6);
  });

  it("refuses a question that needs more, and answers the next one", async () => {
    await engine.load({ baseUrl, memoryMb: usedMb + 4.4 });
    await engine.ask(asked(4));
    const failure = {
      code: "outOfMemory",
      message: expect.stringMatching(/its cache needs [\d.]+ MB, and [\d.]+ MB are free/),
    };
    await expect(engine.ask(asked(900))).rejects.toMatchObject({ failure });
    expect((await engine.ask(asked(4))).tokenIds.length).toBeGreaterThan(0);
  });
});

it("a buffer that the driver refuses is known by name before anything is written to it", async () => {
  const gpu = new Gpu((await requestDevice(create([]))).device);
  // The software driver claims exactly one buffer more than it holds.
  const bytes = gpu.device.limits.maxBufferSize;
  const buffer = gpu.memory.storage("kv", "too large", bytes);
  const refused = gpu.memory.granted();
  await expect(refused).rejects.toThrow(OutOfMemoryError);
  await expect(refused).rejects.toThrow(/^too large: \d+ bytes were refused$/);
  gpu.memory.destroy(buffer);
  expect(gpu.memory.bytes).toEqual(NO_MEMORY);
  await gpu.memory.granted();
  gpu.device.destroy();
});
