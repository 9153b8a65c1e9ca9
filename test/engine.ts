import fs from "node:fs";
import { afterAll, beforeAll, vi } from "vitest";
import { resample } from "@/images/resample";
import { LocalEngine } from "@/runtime/engine";
import { dawn } from "../cli/shared/dawn";
import { Pixels, provideImages } from "../cli/shared/nodeImages";
import { FAMILY_FIXTURES } from "./families";
import { diskFetch, diskUrl } from "./files";

/**
 * The engine under Node; it fetches models with `diskFetch` and decodes PNG files. Call it where tests are declared.
 * @param directory of a model that is loaded before the tests
 */
export function createTestEngine(directory?: string): LocalEngine {
  const engine = new LocalEngine();
  beforeAll(async () => {
    vi.stubGlobal("navigator", { gpu: dawn });
    vi.stubGlobal("fetch", diskFetch);
    provideImages(({ data, ...from }, width, height) => {
      const scaled = resample(data, [from.width, from.height], [width, height], "lanczos");
      return new Pixels(scaled, width, height);
    });
    if (directory) await engine.load({ baseUrl: diskUrl(directory) });
  });
  afterAll(() => vi.unstubAllGlobals());
  return engine;
}

/** A picture of the family fixtures as a file: `busy`, `second`, `wide`. */
export function pictureFile(name: string): Blob {
  return new Blob([fs.readFileSync(`${FAMILY_FIXTURES}/pictures/${name}.png`)]);
}
