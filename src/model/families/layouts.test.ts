import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { type FakeLog, fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { FAMILY_FIXTURES, readFamily } from "../../../test/families";
import { memorySource, safetensors } from "../../../test/memorySource";
import { parseConfig } from "../checkpoint/config";
import { loadWeights } from "../checkpoint/weights";
import { loadGridWeights } from "../vision/grid/gridWeights";
import { loadTowerWeights } from "../vision/towerWeights";
import type { GridVisionFamily } from "./family";
import { familyOf } from "./registry";

beforeAll(stubGpuConstants);
afterAll(() => {
  vi.unstubAllGlobals();
});

const names = fs
  .readdirSync(FAMILY_FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && fs.existsSync(`${FAMILY_FIXTURES}/${entry.name}.json`))
  .map((entry) => entry.name);
const configOf = (name: string) =>
  JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/${name}/config.json`, "utf8"));
const withTwo = names.filter((name) => familyOf(configOf(name)) && readFamily(name).newerNames);

it("takes at most six megabytes, so that a clone stays small", () => {
  const files = fs.readdirSync(FAMILY_FIXTURES, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => fs.statSync(`${parentPath}/${name}`).size);
  expect(sizes.length).toBeGreaterThan(100);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(6e6);
});

type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** The weight files of a fixture, with tensors renamed. */
function weightFiles(name: string, newNames: Readonly<Record<string, string>>): Files {
  const folder = `${FAMILY_FIXTURES}/${name}`;
  const rename = (entries: object) =>
    Object.fromEntries(
      Object.entries(entries).map(([key, value]) => [newNames[key] ?? key, value]),
    );
  const weights = fs.readdirSync(folder).filter((file) => file.includes(".safetensors"));
  return Object.fromEntries(
    weights.map((file) => {
      const bytes = fs.readFileSync(`${folder}/${file}`);
      if (file.endsWith(".json")) {
        const index = JSON.parse(bytes.toString());
        const renamed = JSON.stringify({ ...index, weight_map: rename(index.weight_map) });
        return [file, new TextEncoder().encode(renamed)];
      }
      const start = 8 + Number(bytes.readBigUInt64LE(0));
      const data = bytes.subarray(start);
      const renamed = safetensors(
        rename(JSON.parse(bytes.toString("utf8", 8, start))),
        data.length,
      );
      renamed.set(data, renamed.length - data.length);
      return [file, renamed];
    }),
  );
}

/** Every upload of decoder and tower, in order. */
async function uploads(name: string, files: Files): Promise<readonly Buffer[]> {
  const json = configOf(name);
  const config = parseConfig(json);
  const log: FakeLog = { writes: [], copies: [], passes: [] };
  const gpu = fakeGpu(fakeDevice({}, log));
  await loadWeights(gpu, config, memorySource(files));
  const vision = familyOf(json)?.vision;
  if (vision) {
    const source = memorySource(files);
    if (vision.gridTower) {
      const wanted = { config: vision.gridTower(json, config.hidden), names: vision.names };
      await loadGridWeights(gpu, wanted, source);
    } else {
      const wanted = { config: vision.tower(json, config.hidden), names: vision.names };
      await loadTowerWeights(gpu, wanted, source);
    }
  }
  return log.writes.map(({ bytes }) => Buffer.from(bytes));
}

describe("tensor names of", () => {
  it("at least the LLaVA-like families have two layouts", () => {
    expect(withTwo.length).toBeGreaterThan(4);
  });

  it.each(withTwo)("%s: both layouts load the same weights", async (name) => {
    const newerNames = readFamily(name).newerNames ?? {};
    const older = await uploads(name, weightFiles(name, {}));
    const newer = await uploads(name, weightFiles(name, newerNames));
    expect(older.length).toBeGreaterThan(20);
    expect(newer.length).toBe(older.length);
    expect(newer.every((bytes, i) => bytes.equals(older[i]!))).toBe(true);
  });
});

describe("a grid tower", () => {
  const json = configOf("qwen2.5-vl");
  const vision = familyOf(json)!.vision as GridVisionFamily;
  const wanted = { config: vision.gridTower(json, parseConfig(json).hidden), names: vision.names };
  const source = memorySource(weightFiles("qwen2.5-vl", {}));

  /** Bytes of all buffers in a value. */
  function bytesIn(value: unknown): number {
    if (value instanceof GPUBuffer) return value.size;
    if (typeof value !== "object" || value === null) return 0;
    return Object.values(value).reduce((sum, each) => sum + bytesIn(each), 0);
  }

  it("holds what it runs on and nothing else", async () => {
    const gpu = fakeGpu();
    const weights = await loadGridWeights(gpu, wanted, source);
    expect(gpu.memory.bytes.weights).toBe(bytesIn(weights));
    weights.destroy();
    expect(gpu.memory.bytes.weights).toBe(0);
  });

  it("holds nothing if its patches cannot be read back, or have no room", async () => {
    const gpu = fakeGpu();
    vi.spyOn(gpu, "read").mockRejectedValue(new Error("lost"));
    await expect(loadGridWeights(gpu, wanted, source)).rejects.toThrow("lost");
    expect(gpu.memory.bytes.weights).toBe(0);
    const { storage } = gpu.memory;
    vi.spyOn(gpu.memory, "storage").mockImplementation((pool, label, bytes) => {
      if (label === "raw patches") throw new OutOfMemoryError(label, bytes, 0);
      return storage.call(gpu.memory, pool, label, bytes);
    });
    await expect(loadGridWeights(gpu, wanted, source)).rejects.toThrow("raw patches");
    expect(gpu.memory.bytes.weights).toBe(0);
  });
});
