import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { StepAttention } from "@/model/decoder/stepAttention";
import { Eviction } from "@/model/eviction/eviction";
import { VisionTower } from "@/model/vision/tower";
import { greedy } from "@/protocol/defaults";
import { NO_MEMORY } from "@/protocol/event";
import type { AskRequest, CacheSettings } from "@/protocol/request";
import { dawn } from "../../cli/shared/dawn";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskFetch, diskUrl } from "../../test/files";
import { LocalEngine } from "./engine";
import { ReferenceLane } from "./session/reference";

const DIRECTORY = `${FAMILY_FIXTURES}/llava-1.5`;
const noMemory = () => Promise.reject(new OutOfMemoryError("a test", 8, 4));

const settings = (policy: string, retention: number): CacheSettings => {
  return { policy, retention, scope: "prompt", options: {} };
};

function asked(policy: string): AskRequest {
  return {
    turns: [{ images: ["a"], question: "What is shown in this image?" }],
    images: { a: pictureFile("busy") },
    settings: settings(policy, 0.5),
    sampling: greedy(6),
    explain: true,
  };
}

afterEach(() => vi.restoreAllMocks());

describe("an answer that fails", () => {
  const engine = createTestEngine(DIRECTORY);
  let before = NO_MEMORY;
  let whole = "";

  beforeEach(async () => {
    whole = (await engine.ask(asked("streaming"))).answer;
    await engine.clear();
    before = await engine.memory();
    expect(before.kv).toBe(0);
  });
  afterEach(async () => {
    await engine.clear();
    expect(await engine.memory()).toEqual(before);
  });

  it("frees the scores of its rows if its attention cannot be recorded", async () => {
    vi.spyOn(StepAttention, "create").mockImplementationOnce(noMemory);
    await expect(engine.ask(asked("streaming"))).rejects.toThrow("not enough graphics memory");
  });

  it("frees the parameters of a layer that could not be recorded", async () => {
    vi.spyOn(StepAttention.prototype, "afterAttention").mockImplementationOnce(() => {
      throw new OutOfMemoryError("a test", 8, 4);
    });
    await expect(engine.ask(asked("streaming"))).rejects.toThrow("not enough graphics memory");
  });

  it("is given, and frees its recorded attention, if its rows cannot be sorted", async () => {
    vi.spyOn(Eviction.prototype, "finish").mockImplementationOnce(function (this: Eviction) {
      this.destroy();
      return noMemory();
    });
    const { finish, answer } = await engine.ask(asked("streaming"));
    expect(finish).toBe("memory");
    expect(whole).not.toBe("");
    expect(answer).toBe(whole);
  });

  it("frees all lanes if their reference fails", async () => {
    vi.spyOn(ReferenceLane.prototype, "addTo").mockImplementationOnce(noMemory);
    const lanes = [settings("snapkv", 0.5), settings("knorm", 0.5)];
    const comparing = engine.compare({ ...asked("snapkv"), lanes, reference: true });
    await expect(comparing).rejects.toThrow("not enough graphics memory");
  });
});

describe("a load that fails", () => {
  const engine = createTestEngine();

  it("frees an encoder that was ready before the image processor could not be read", async () => {
    const { create } = VisionTower;
    const made = new Promise<void>((resolve) => {
      vi.spyOn(VisionTower, "create").mockImplementation(async (...args) => {
        const tower = await create.apply(VisionTower, args);
        setTimeout(resolve); // behind what waits for the tower
        return tower;
      });
    });
    vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
      if (!url.pathname.endsWith("/preprocessor_config.json")) return diskFetch(url, init);
      await made;
      return new Response(null, { status: 404 });
    });
    const failure = { code: "missingFile" };
    await expect(engine.load({ baseUrl: diskUrl(DIRECTORY) })).rejects.toMatchObject({ failure });
    expect(await engine.memory()).toEqual(NO_MEMORY);
  });

  /** Tensors that never come, behind headers that do: the signals of their requests. */
  function withoutWeights(config: (json: object) => object = (json) => json): AbortSignal[] {
    const signals: AbortSignal[] = [];
    vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
      const signal = init.signal as AbortSignal;
      signal.throwIfAborted();
      const [, first] = /^bytes=(\d+)-/.exec(new Headers(init.headers).get("range") ?? "") ?? [];
      if (url.pathname.endsWith(".safetensors") && Number(first) > 8) {
        signals.push(signal);
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      }
      const response = await diskFetch(url, init);
      const isConfig = url.pathname.endsWith("/config.json");
      return isConfig ? Response.json(config((await response.json()) as object)) : response;
    });
    return signals;
  }

  it("reads no weights if the configuration of the vision encoder is refused", async () => {
    const signals = withoutWeights((json) => ({ ...json, image_token_index: undefined }));
    const failure = { code: "badModel", message: expect.stringContaining("image_token_id") };
    await expect(engine.load({ baseUrl: diskUrl(DIRECTORY) })).rejects.toMatchObject({ failure });
    expect(signals).toEqual([]);
  });

  it("stops reading weights when the device is lost", async () => {
    const { requestAdapter } = dawn;
    let device: GPUDevice | undefined;
    vi.spyOn(dawn, "requestAdapter").mockImplementation(async (options) => {
      const adapter = (await requestAdapter.call(dawn, options)) as GPUAdapter;
      const open = adapter.requestDevice.bind(adapter);
      vi.spyOn(adapter, "requestDevice").mockImplementation(async (wanted) => {
        device = await open(wanted);
        return device;
      });
      return adapter;
    });
    const lost = new LocalEngine();
    const signals = withoutWeights();
    const failure = { code: "deviceLost" };
    const loading = lost.load({ baseUrl: diskUrl(DIRECTORY) });
    const refused = expect(loading).rejects.toMatchObject({ failure });
    await vi.waitUntil(() => signals.length > 0, { timeout: 60_000 });
    device?.destroy();
    await refused;
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it("leaves the model alone if its options are wrong", async () => {
    vi.stubGlobal("fetch", diskFetch);
    const baseUrl = diskUrl(`${FAMILY_FIXTURES}/llama`);
    await engine.load({ baseUrl });
    const wrong = [{ chunkRows: 0 }, { memoryMb: Number.NaN }, { kvType: "q9" as never }];
    for (const options of wrong) {
      const failure = { code: "badRequest" };
      await expect(engine.load({ baseUrl, ...options })).rejects.toMatchObject({ failure });
    }
    const images = {};
    const turns = [{ images: [], question: "What is this?" }];
    const request = { turns, images, settings: settings("streaming", 1), sampling: greedy(2) };
    expect((await engine.ask(request)).tokenIds).not.toEqual([]);
  });
});
