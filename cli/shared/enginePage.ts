import fs from "node:fs";
import type { Page } from "@playwright/test";
import { greedy } from "@/protocol/defaults";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent, MemoryReading } from "@/protocol/event";
import type { EngineFailure } from "@/protocol/failure";
import type { WorkerMessage, WorkerRequest } from "@/protocol/messages";
import type { LoadRequest, ModelInfo } from "@/protocol/model";
import type { AskRequest, CacheSettings, CompareRequest, Sampling, Turn } from "@/protocol/request";
import type { LaneOutcome, PlanPreview, TurnResult } from "@/protocol/result";

/** Errors lose their class when they leave a page, so outcomes are data. */
export type Outcome<T> =
  | { readonly value: T; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: EngineFailure };

/** The value of a successful outcome. @throws its failure */
export function must<T>({ value, failure }: Outcome<T>): T {
  if (failure) throw new Error(`${failure.code}: ${failure.message}`);
  return value as T;
}

/** Omitted fields have defaults: the full cache, and a short greedy answer. */
interface Question extends Omit<AskRequest, "images" | "settings" | "sampling"> {
  readonly settings?: Partial<CacheSettings>;
  readonly sampling?: Partial<Sampling>;
  /** The engine hears of a stop at once after this many events of a type. */
  readonly stopAt?: StopAt;
}

interface Comparison extends Omit<CompareRequest, "images" | "lanes" | "sampling"> {
  readonly lanes: readonly Partial<CacheSettings>[];
  readonly sampling?: Partial<Sampling>;
}

interface StopAt {
  readonly type: EngineEvent["type"];
  readonly count: number;
}

const SETTINGS: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };
const SAMPLING: Sampling = greedy(12);
/** Number of unread events that are kept. */
const EVENTS_KEPT = 20_000;

type Method = "load" | "ask" | "compare" | "preview";

/** The real engine in its worker, on a page without UI, for the command line and the tests. */
export class EnginePage {
  readonly #page: Page;
  readonly #images = new Map<string, string>();

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(page: Page, url = "headless.html"): Promise<EnginePage> {
    await page.goto(url);
    await page.waitForFunction(() => "keepsight" in window);
    await page.evaluate((most) => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      window.keepsight.subscribe((event) => {
        if (heard.push(event) > most) heard.shift();
      });
    }, EVENTS_KEPT);
    return new EnginePage(page);
  }

  /** Registers a file under a key; it is read when a turn refers to the key. */
  addImage(key: string, file: string): void {
    this.#images.set(key, file);
  }

  /** @param baseUrl a model's folder, relative to the page */
  load(baseUrl: string, request: Omit<LoadRequest, "baseUrl"> = {}): Promise<Outcome<ModelInfo>> {
    const absolute = new URL(baseUrl, this.#page.url()).href;
    return this.#call("load", { ...request, baseUrl: absolute });
  }

  ask({ stopAt, settings, sampling, ...rest }: Question): Promise<Outcome<TurnResult>> {
    const request = {
      ...rest,
      settings: { ...SETTINGS, ...settings },
      sampling: { ...SAMPLING, ...sampling },
    };
    const asked = () => this.#call<TurnResult>("ask", request, rest.turns);
    return stopAt ? this.#stopping(stopAt, asked) : asked();
  }

  compare({ lanes, sampling, ...rest }: Comparison): Promise<Outcome<readonly LaneOutcome[]>> {
    const request = {
      ...rest,
      lanes: lanes.map((lane) => ({ ...SETTINGS, ...lane })),
      sampling: { ...SAMPLING, ...sampling },
    };
    return this.#call("compare", request, rest.turns);
  }

  preview(settings: Partial<CacheSettings>): Promise<Outcome<PlanPreview>> {
    return this.#call("preview", { ...SETTINGS, ...settings });
  }

  memory(): Promise<MemoryReading> {
    return this.#page.evaluate(() => window.keepsight.memory());
  }

  clear(): Promise<void> {
    return this.#page.evaluate(() => window.keepsight.clear());
  }

  /** Events since the last call. */
  heard(): Promise<EngineEvent[]> {
    return this.#page.evaluate(() => {
      const { heard } = window as unknown as { heard: EngineEvent[] };
      return heard.splice(0, heard.length);
    });
  }

  async #call<T>(method: Method, request: object, turns?: readonly Turn[]): Promise<Outcome<T>> {
    const images = turns && this.#imagesOf(turns);
    const outcome = await this.#page.evaluate(callEngine, { method, request, images });
    return outcome as Outcome<T>;
  }

  /** Sends the stop inside the worker: on its way from the page, it would arrive after a time of its own. */
  async #stopping<T>(stopAt: StopAt, asked: () => Promise<T>): Promise<T> {
    const worker = this.#page.workers().at(-1);
    if (!worker) throw new Error("There is no engine to stop.");
    const post = await worker.evaluateHandle(stopInside, stopAt);
    try {
      return await asked();
    } finally {
      await worker.evaluate((postMessage) => void Object.assign(self, { postMessage }), post);
    }
  }

  /** The turns' images in base 64; the engine reports unknown keys. */
  #imagesOf(turns: readonly Turn[]): Readonly<Record<string, string>> {
    const keys = new Set(turns.flatMap(({ images }) => images));
    const files = [...this.#images].filter(([key]) => keys.has(key));
    return Object.fromEntries(
      files.map(([key, file]) => [key, fs.readFileSync(file).toString("base64")]),
    );
  }
}

/** Runs inside the page. */
async function callEngine({
  method,
  request,
  images,
}: {
  readonly method: Method;
  readonly request: object;
  readonly images: Readonly<Record<string, string>> | undefined;
}): Promise<Outcome<unknown>> {
  const engine: Engine = window.keepsight;
  const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  try {
    const blobs = Object.entries(images ?? {}).map(([key, text]) => [key, new Blob([bytes(text)])]);
    const given = images ? { ...request, images: Object.fromEntries(blobs) } : request;
    return { value: await engine[method](given as never) };
  } catch (error) {
    return { failure: (error as { failure: EngineFailure }).failure };
  }
}

/**
 * Runs inside the engine's worker: gives it the page's request to stop right after an event.
 * @returns what it has replaced
 */
function stopInside({ type, count }: StopAt): unknown {
  const worker = self as unknown as {
    postMessage(message: WorkerMessage, options?: object): void;
    onmessage(event: MessageEvent<WorkerRequest>): void;
  };
  const post = worker.postMessage;
  let seen = 0;
  worker.postMessage = (message, options) => {
    post(message, options);
    if (message.type !== "event" || message.event.type !== type || ++seen !== count) return;
    const data: WorkerRequest = { id: 0, call: "cancel", args: [] }; // no call of the page has this id
    worker.onmessage(new MessageEvent("message", { data }));
  };
  return post;
}
