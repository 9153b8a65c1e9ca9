import path from "node:path";
import { type Browser, chromium, type Page } from "@playwright/test";
import type { EngineEvent, MemoryReading } from "@/protocol/event";
import type { LoadRequest, ModelInfo } from "@/protocol/model";
import type { AskRequest, CompareRequest } from "@/protocol/request";
import type { LaneOutcome, TurnResult } from "@/protocol/result";
import { findBrowser, launchOptions } from "./browser";
import { EnginePage, type Outcome } from "./enginePage";
import { inputError, webGpuError } from "./options";
import { buildIfStale, serveSite } from "./site";

/** Receives each token's text and event. */
export type TokenListener = (
  text: string,
  event: Extract<EngineEvent, { readonly type: "token" }>,
) => void;

/**
 * The engine of the built site in its own headless browser; failures become errors of the command.
 */
export interface OpenedEngine {
  load(request?: Omit<LoadRequest, "baseUrl">): Promise<ModelInfo>;
  ask(request: Omit<AskRequest, "images">, onToken?: TokenListener): Promise<TurnResult>;
  compare(
    request: Omit<CompareRequest, "images">,
    onToken?: TokenListener,
  ): Promise<readonly LaneOutcome[]>;
  clear(): Promise<void>;
  memory(): Promise<MemoryReading>;
  close(): Promise<void>;
}

/**
 * @param modelDir folder in the Hugging Face layout, anywhere on disk
 * @param images file by key, as `AskRequest.turns` name them
 */
export async function openEngine(
  modelDir: string,
  images: Readonly<Record<string, string>> = {},
): Promise<OpenedEngine> {
  buildIfStale();
  const modelPath = `-model/${encodeURIComponent(path.basename(modelDir))}`;
  const site = await serveSite({ [modelPath]: modelDir });
  let browser: Browser | undefined;
  // What is still open would keep the process from ending.
  const close = async () => {
    site.close();
    await browser?.close();
  };
  try {
    browser = await chromium.launch(launchOptions(await findBrowser()));
    const page = await browser.newPage();
    const engine = await EnginePage.open(page, `${site.url}headless.html`);
    return { ...(await engineOf(page, engine, modelPath, images)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The engine of a page that is open. */
async function engineOf(
  page: Page,
  engine: EnginePage,
  modelPath: string,
  images: Readonly<Record<string, string>>,
): Promise<Omit<OpenedEngine, "close">> {
  for (const [key, file] of Object.entries(images)) engine.addImage(key, file);
  let onToken: TokenListener | undefined;
  await page.exposeFunction("token", (event: Parameters<TokenListener>[1]) => {
    onToken?.(event.text, event);
  });
  await page.evaluate(() => {
    const { token } = window as unknown as { token(event: EngineEvent): void };
    window.keepsight.subscribe((event) => {
      if (event.type === "token") token(event);
    });
  });
  return {
    load: async (request) => unwrap(await engine.load(`${modelPath}/`, request)),
    ask: async (request, listener) => {
      onToken = listener;
      return unwrap(await engine.ask(request));
    },
    compare: async (request, listener) => {
      onToken = listener;
      return unwrap(await engine.compare(request));
    },
    clear: () => engine.clear(),
    memory: () => engine.memory(),
  };
}

function unwrap<T>({ value, failure }: Outcome<T>): T {
  if (!failure) return value;
  const { code, message } = failure;
  throw code === "noWebGpu" || code === "missingLimit" ? webGpuError(message) : inputError(message);
}
