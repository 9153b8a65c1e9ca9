import { type BrowserContext, expect, type Page } from "@playwright/test";
import { EnginePage, must } from "../cli/shared/enginePage";
import type { EngineFailure } from "../src/protocol/failure";
import type { WorkerMessage } from "../src/protocol/messages";
import { test } from "./test";

const MODEL = "models/tiny-smolvlm/";
const WEIGHTS = "**/models/tiny-smolvlm/model.safetensors";
const question = { turns: [{ images: ["picture"], question: "What is shown in this image?" }] };

let page: Page;
let engine: EnginePage;

test.describe("pictures", () => {
  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    engine = await EnginePage.open(page);
    must(await engine.load(MODEL));
  });
  test.afterAll(() => page.close());

  for (const [file, code, sentence] of [
    ["empty.png", "badImage", /empty/],
    ["not-an-image.png", "badImage", /not an image/],
    ["truncated.png", "badImage", /truncated/],
    ["huge-20000x20000.png", "imageTooLarge", /400 megapixels/],
  ] as const) {
    test(`${file} is refused with a sentence, and nothing is lost`, async () => {
      engine.addImage("picture", "fixtures/vision/picture.png");
      const first = must(await engine.ask(question));
      const before = await engine.memory();
      engine.addImage("bad", `fixtures/images/${file}`);
      const turns = [
        { images: ["picture"], question: "What?", answerIds: first.tokenIds },
        { images: ["bad"], question: "And this?" },
      ];
      const { failure } = await engine.ask({ turns });
      expect(failure).toMatchObject({ code, action: "chooseImage" });
      expect(failure?.message).toMatch(sentence);
      expect(await engine.memory()).toEqual(before);
      expect(must(await engine.ask(question)).tokenIds).toEqual(first.tokenIds);
    });
  }

  test("an animation answers from its first frame and says so", async () => {
    engine.addImage("picture", "fixtures/images/animated.gif");
    const { notices } = must(await engine.ask(question));
    expect(notices).toEqual([{ code: "firstFrame" }]);
  });

  test("an upright layout of a picture that lies on its side", async () => {
    engine.addImage("picture", "fixtures/images/rotated-exif6.jpg");
    const { images } = must(await engine.ask(question));
    expect(images[0]).toMatchObject({ width: 384, height: 384 });
  });
});

test.describe("model directories", () => {
  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    engine = await EnginePage.open(page);
    engine.addImage("picture", "fixtures/vision/picture.png");
  });
  test.afterEach(() => page.context().unrouteAll());
  test.afterAll(() => page.close());

  for (const file of [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
  ]) {
    test(`without ${file} are refused by its name`, async () => {
      await page.context().route(`**/${MODEL}${file}`, (route) => {
        return route.fulfill({ status: 404, body: "not found" });
      });
      const { failure } = await engine.load(MODEL);
      expect(failure?.code).toBe("missingFile");
      expect(failure?.message).toContain(file);
      await nothingIsHeld();
    });
  }

  test("whose weights are truncated, inconsistent or lack a tensor are refused", async () => {
    const whole = await (await page.request.get(`${MODEL}model.safetensors`)).body();
    const headerBytes = Number(whole.readBigUInt64LE(0));
    const header = JSON.parse(whole.subarray(8, 8 + headerBytes).toString()) as object;
    const withHeader = (change: (header: Record<string, Tensor>) => void) => {
      const changed = structuredClone(header) as Record<string, Tensor>;
      change(changed);
      const json = Buffer.from(JSON.stringify(changed).padEnd(headerBytes));
      return Buffer.concat([whole.subarray(0, 8), json, whole.subarray(8 + headerBytes)]);
    };
    const lie = Buffer.from(whole);
    lie.writeBigUInt64LE(BigInt(whole.length * 2), 0);
    const name = Object.keys(header).find((key) => key.endsWith("layers.1.mlp.up_proj.weight"));
    const broken = [
      ["truncated", whole.subarray(0, whole.length - 1000), /model\.safetensors/],
      ["empty", Buffer.alloc(0), /model\.safetensors/],
      ["a lying header", lie, /header/],
      ["a missing tensor", withHeader((h) => delete h[name as string]), /up_proj/],
      ["a wrong shape", withHeader((h) => h[name as string]?.shape.reverse()), /up_proj/],
    ] as const;
    for (const [what, bytes, sentence] of broken) {
      await serve(page.context(), bytes);
      const { failure } = await engine.load(MODEL);
      expect(failure, what).toMatchObject({ code: "badModel" });
      expect(failure?.message, what).toMatch(sentence);
      await nothingIsHeld();
    }
    await page.context().unroute(WEIGHTS);
    must(await engine.load(MODEL));
    expect(must(await engine.ask(question)).tokenIds).toHaveLength(12);
  });

  test("of an unknown architecture are refused by its name, before the weights", async () => {
    const asked: string[] = [];
    await page.context().route(WEIGHTS, (route) => {
      asked.push(route.request().url());
      return route.continue();
    });
    await page
      .context()
      .route(`**/${MODEL}config.json`, (route) =>
        route.fulfill({ json: { architectures: ["MambaForCausalLM"], model_type: "mamba" } }),
      );
    const { failure } = await engine.load(MODEL);
    expect(failure?.code).toBe("unknownArchitecture");
    expect(failure?.message).toContain("Mamba");
    expect(asked).toEqual([]);
  });

  test("can be stopped while they load, and loaded again", async () => {
    // The weights never come.
    await page.context().route(WEIGHTS, () => new Promise<void>(() => undefined));
    await engine.heard();
    const loading = engine.load(MODEL);
    await expect.poll(async () => (await engine.heard()).length).toBeGreaterThan(0);
    expect((await engine.load(MODEL)).failure?.code).toBe("busy");
    await page.evaluate(() => window.keepsight.cancel());
    expect((await loading).failure?.code).toBe("cancelled");
    await nothingIsHeld();
    await page.context().unroute(WEIGHTS);
    must(await engine.load(MODEL));
  });
});

test.describe("a device", () => {
  test.beforeEach(async ({ page }) => {
    engine = await EnginePage.open(page);
    engine.addImage("picture", "fixtures/vision/picture.png");
  });

  test("that is lost fails the question, and a reload answers it", async ({ page }) => {
    await page.evaluate(() => window.keepsight.memory()); // starts the worker
    const [worker] = page.workers();
    await worker?.evaluate(() => {
      const { requestDevice } = GPUAdapter.prototype;
      const { submit } = GPUQueue.prototype;
      GPUAdapter.prototype.requestDevice = async function (...args) {
        const device = await requestDevice.apply(this, args);
        Object.assign(self, { device });
        return device;
      };
      const state = self as unknown as { device: GPUDevice; tokens?: number };
      GPUQueue.prototype.submit = function (commands) {
        if (state.tokens === 0) state.device.destroy();
        return submit.call(this, commands);
      };
      const post = self.postMessage.bind(self) as (message: WorkerMessage, more?: object) => void;
      const count = (message: WorkerMessage, more?: object) => {
        post(message, more);
        const isToken = message.type === "event" && message.event.type === "token";
        if (isToken && state.tokens) state.tokens -= 1;
      };
      Object.assign(self, { postMessage: count });
    });
    must(await engine.load(MODEL));
    const expected = must(await engine.ask(question)).tokenIds;
    await engine.heard();
    // Of twelve tokens at most two are submitted ahead of the fourth, so another submission comes after it.
    await worker?.evaluate(() => void Object.assign(self, { tokens: 4 }));
    const outcome = await engine.ask({ ...question, fresh: true });
    expect(outcome.failure, JSON.stringify(outcome)).toMatchObject({
      code: "deviceLost",
      action: "reload",
    });
    expect((await engine.heard()).filter(({ type }) => type === "deviceLost")).toHaveLength(1);
    expect((await engine.ask(question)).failure?.code).toBe("noModel");
    await nothingIsHeld();
    await worker?.evaluate(() => void Object.assign(self, { tokens: undefined }));
    must(await engine.load(MODEL));
    expect(must(await engine.ask(question)).tokenIds).toEqual(expected);
  });

  test("serves one question at a time, and none without a model", async ({ page }) => {
    expect((await engine.ask(question)).failure?.code).toBe("noModel");
    must(await engine.load(MODEL));
    const first = engine.ask({ ...question, sampling: { maxNewTokens: 60 } });
    expect((await engine.ask(question)).failure?.code).toBe("busy");
    must(await first);
    // Clearing while it answers stops it first.
    const second = engine.ask({ ...question, sampling: { maxNewTokens: 500 }, fresh: true });
    await page.evaluate(() => window.keepsight.clear());
    expect(must(await second).finish).toBe("cancelled");
    expect(await engine.memory()).toMatchObject({ kv: 0, vision: 0 });
  });
});

test("a browser without WebGPU is told so", async ({ playwright, baseURL }) => {
  const browser = await playwright.chromium.launch({
    ...(test.info().project.use.launchOptions ?? {}),
    args: ["--no-sandbox", "--disable-features=WebGPU", "--disable-gpu"],
  });
  const page = await browser.newPage({ ...(baseURL ? { baseURL } : {}) });
  const { failure } = await (await EnginePage.open(page)).load(MODEL);
  await browser.close();
  expect(failure satisfies EngineFailure | undefined).toMatchObject({ code: "noWebGpu" });
});

interface Tensor {
  readonly shape: number[];
}

async function nothingIsHeld(): Promise<void> {
  const nothing = { weights: 0, kv: 0, reference: 0, activations: 0, vision: 0 };
  expect(await engine.memory()).toEqual(nothing);
}

/** Serves weights with ranges, as a static host does. */
async function serve(context: BrowserContext, bytes: Buffer): Promise<void> {
  await context.unroute(WEIGHTS);
  await context.route(WEIGHTS, (route) => {
    const range = /bytes=(\d+)-(\d+)/.exec(route.request().headers().range ?? "");
    const start = Number(range?.[1] ?? 0);
    if (start >= bytes.length) return route.fulfill({ status: 416, body: "" });
    const part = bytes.subarray(start, Number(range?.[2] ?? bytes.length) + 1);
    const end = start + part.length - 1;
    const headers = { "content-range": `bytes ${start}-${end}/${bytes.length}` };
    return route.fulfill({ status: 206, headers, body: part });
  });
}
