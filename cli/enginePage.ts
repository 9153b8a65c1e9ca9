import path from "node:path";
import { chromium } from "@playwright/test";
import type {
  AskRequest,
  CompareRequest,
  EngineEvent,
  EngineFailure,
  LaneOutcome,
  LoadRequest,
  MemoryReading,
  ModelInfo,
  Turn,
  TurnResult,
} from "@/protocol/engine";
import { findBrowser, launchOptions } from "./browser";
import { inputError, webGpuError } from "./options";
import { buildIfStale, serveSite } from "./site";

/** Hears a token's text as it comes, and the whole event. */
export type TokenListener = (
  text: string,
  event: Extract<EngineEvent, { readonly type: "token" }>,
) => void;

/** The engine of the built site, in a headless browser, with a model and images from disk. */
export interface EnginePage {
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

/** Outcome of a call inside the page: errors lose their class on the way out, so they are data. */
type Outcome<T> = { readonly value: T } | { readonly failure: EngineFailure };

/**
 * @param modelDir folder in the Hugging Face layout, anywhere on disk
 * @param images file by key, as `AskRequest.turns` name them
 */
export async function openEngine(
  modelDir: string,
  images: Readonly<Record<string, string>> = {},
): Promise<EnginePage> {
  buildIfStale();
  const keys = Object.keys(images);
  const name = encodeURIComponent(path.basename(modelDir));
  const site = await serveSite({
    "-model": path.dirname(modelDir),
    ...Object.fromEntries(keys.map((key, index) => [`-image${index}`, images[key] as string])),
  });
  const browser = await chromium.launch(launchOptions(await findBrowser()));
  const page = await browser.newPage();
  let onToken: TokenListener | undefined;
  await page.exposeFunction("heard", (event: EngineEvent) => {
    if (event.type === "token") onToken?.(event.text, event);
  });
  await page.goto(`${site.url}headless.html`);
  await page.waitForFunction(() => "keepsight" in window);
  await page.evaluate(() => {
    const { heard } = window as unknown as { heard(event: unknown): void };
    window.keepsight.subscribe((event) => {
      if (event.type === "token") heard(event);
    });
  });
  const call = async <T>(name: "load" | "ask" | "compare", request: object): Promise<T> => {
    const used = new Set(turnsOf(request).flatMap(({ images: named }) => named));
    const mounts = keys.flatMap((key, index) => (used.has(key) ? [[key, index] as const] : []));
    const outcome = await page.evaluate(callEngine, { name, request, mounts });
    return unwrap(outcome as Outcome<T>);
  };
  return {
    load: (request = {}) => call("load", { ...request, baseUrl: `${site.url}-model/${name}/` }),
    ask: (request, listener) => {
      onToken = listener;
      return call("ask", request);
    },
    compare: (request, listener) => {
      onToken = listener;
      return call("compare", request);
    },
    clear: () => page.evaluate(() => window.keepsight.clear()),
    memory: () => page.evaluate(() => window.keepsight.memory()),
    close: async () => {
      await browser.close();
      site.close();
    },
  };
}

function turnsOf(request: object): readonly Turn[] {
  return "turns" in request ? (request.turns as readonly Turn[]) : [];
}

/** Runs inside the page: `mounts` are the images' keys and numbers, served as `-image0/`, … */
async function callEngine({
  name,
  request,
  mounts,
}: {
  name: "load" | "ask" | "compare";
  request: object;
  mounts: readonly (readonly [key: string, index: number])[];
}): Promise<Outcome<unknown>> {
  try {
    const blobs = mounts.map(async ([key, index]) => {
      return [key, await (await fetch(`-image${index}/`)).blob()] as const;
    });
    const images = Object.fromEntries(await Promise.all(blobs));
    const given = name === "load" ? request : { ...request, images };
    return { value: await window.keepsight[name](given as never) };
  } catch (error) {
    return { failure: (error as { failure: EngineFailure }).failure };
  }
}

function unwrap<T>(outcome: Outcome<T>): T {
  if ("value" in outcome) return outcome.value;
  const { code, message } = outcome.failure;
  throw code === "noWebGpu" || code === "missingLimit" ? webGpuError(message) : inputError(message);
}
