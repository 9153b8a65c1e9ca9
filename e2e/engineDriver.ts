import fs from "node:fs";
import type { Page } from "@playwright/test";
import type {
  AskRequest,
  CacheSettings,
  EngineEvent,
  EngineFailure,
  LaneOutcome,
  LoadRequest,
  MemoryReading,
  ModelInfo,
  PlanPreview,
  TurnResult,
} from "../src/protocol/engine";

/** Errors lose their class on the way out of a page, so outcomes are data. */
export type Outcome<T> =
  | { readonly value: T; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: EngineFailure };

export interface Question extends Omit<AskRequest, "images" | "settings" | "sampling"> {
  readonly settings?: Partial<CacheSettings>;
  readonly sampling?: Partial<AskRequest["sampling"]>;
  /** Stop once this many events of a type have come. */
  readonly stopAt?: { readonly type: EngineEvent["type"]; readonly count: number };
}

const SETTINGS: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };
const SAMPLING = { maxNewTokens: 12, temperature: 0, topK: 0, topP: 1, seed: 0 };

/** The real engine in its worker, on the page without a page. */
export class EngineDriver {
  readonly #page: Page;
  readonly #images: Record<string, string> = {};

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(page: Page): Promise<EngineDriver> {
    await page.goto("headless.html");
    await page.waitForFunction(() => "keepsight" in window);
    await page.evaluate(() => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      window.keepsight.subscribe((event) => heard.push(event));
    });
    return new EngineDriver(page);
  }

  /** Makes a file known under a key. */
  addImage(key: string, file: string): void {
    this.#images[key] = fs.readFileSync(file).toString("base64");
  }

  load(model: string, request: Partial<LoadRequest> = {}): Promise<Outcome<ModelInfo>> {
    return this.#page.evaluate(
      async ({ model, request }) => {
        try {
          const baseUrl = new URL(`models/${model}/`, location.href).href;
          return { value: await window.keepsight.load({ baseUrl, ...request }) };
        } catch (error) {
          return { failure: (error as { failure: EngineFailure }).failure };
        }
      },
      { model, request },
    );
  }

  ask({ stopAt, settings, sampling, ...rest }: Question): Promise<Outcome<TurnResult>> {
    const request = {
      ...rest,
      settings: { ...SETTINGS, ...settings },
      sampling: { ...SAMPLING, ...sampling },
    };
    return this.#page.evaluate(
      async ({ request, files, stopAt }) => {
        const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const images = Object.fromEntries(
          Object.entries(files).map(([key, text]) => [key, new Blob([bytes(text)])]),
        );
        let count = 0;
        const unsubscribe = window.keepsight.subscribe(({ type }) => {
          if (type === stopAt?.type && ++count === stopAt.count) void window.keepsight.cancel();
        });
        try {
          return { value: await window.keepsight.ask({ ...request, images }) };
        } catch (error) {
          return { failure: (error as { failure: EngineFailure }).failure };
        } finally {
          unsubscribe();
        }
      },
      { request, files: this.#images, stopAt },
    );
  }

  /** Lanes of one question; each is completed from the defaults. */
  compare(
    { sampling, ...rest }: Pick<Question, "sampling" | "turns" | "explain">,
    lanes: readonly Partial<CacheSettings>[],
  ): Promise<Outcome<readonly LaneOutcome[]>> {
    const request = {
      ...rest,
      lanes: lanes.map((lane) => ({ ...SETTINGS, ...lane })),
      sampling: { ...SAMPLING, ...sampling },
    };
    return this.#page.evaluate(
      async ({ request, files }) => {
        const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const images = Object.fromEntries(
          Object.entries(files).map(([key, text]) => [key, new Blob([bytes(text)])]),
        );
        try {
          return { value: await window.keepsight.compare({ ...request, images }) };
        } catch (error) {
          return { failure: (error as { failure: EngineFailure }).failure };
        }
      },
      { request, files: this.#images },
    );
  }

  preview(settings: Partial<CacheSettings>): Promise<Outcome<PlanPreview>> {
    return this.#page.evaluate(
      async (settings) => {
        try {
          return { value: await window.keepsight.preview(settings) };
        } catch (error) {
          return { failure: (error as { failure: EngineFailure }).failure };
        }
      },
      { ...SETTINGS, ...settings },
    );
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
}

/** The value of an outcome that must have succeeded. */
export function must<T>({ value, failure }: Outcome<T>): T {
  if (failure) throw new Error(`${failure.code}: ${failure.message}`);
  return value as T;
}
