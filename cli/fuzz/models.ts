import fs from "node:fs";
import path from "node:path";
import { type ByteSource, cut } from "@/model/checkpoint/byteSource";
import { parseConfig } from "@/model/checkpoint/config";
import { type JsonObject, ModelFiles } from "@/model/checkpoint/files";
import { readTensorMap } from "@/model/checkpoint/safetensors";
import type { ImageProcessor, ModelFamily } from "@/model/families/family";
import { openVision } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import { ModelError } from "@/model/modelError";
import { Tokenizer } from "@/model/prompt/tokenizer";
import { outlineModel } from "@/runtime/load/outline";
import { mutatedBytes, mutatedJson } from "./mutate";
import { ensure, type FuzzTarget, isWhole, parsed, readOrRefused, safetensors } from "./target";

type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const TENSORS = {
  __metadata__: { format: "pt" },
  a: { dtype: "F32", shape: [4, 2], data_offsets: [0, 32] },
  b: { dtype: "BF16", shape: [3], data_offsets: [32, 38] },
  c: { dtype: "I64", shape: [], data_offsets: [38, 46] },
};
const SHARDED = { weight_map: { a: "one.safetensors", b: "two.safetensors" } };

/** A weight file whose bytes are changed: length, header and data. */
export function weightFiles(): FuzzTarget<Uint8Array<ArrayBuffer>> {
  return {
    name: "safetensors",
    inputs: mutatedBytes([withHeader(JSON.stringify(TENSORS))]),
    check: (bytes) => checkTensors({ [SINGLE]: bytes }),
  };
}

/** A weight file of the right length whose header is changed. */
export function weightHeaders(): FuzzTarget<string> {
  return {
    name: "safetensors-header",
    inputs: mutatedJson([JSON.stringify(TENSORS)]),
    check: (json) => checkTensors({ [SINGLE]: withHeader(json) }),
  };
}

/** The list of the files of a model. */
export function weightIndexes(): FuzzTarget<string> {
  const part = withHeader(JSON.stringify(TENSORS));
  return {
    name: "safetensors-index",
    inputs: mutatedJson([JSON.stringify(SHARDED)]),
    check: (json) =>
      checkTensors({
        [INDEX]: new TextEncoder().encode(json),
        "one.safetensors": part,
        "two.safetensors": part,
      }),
  };
}

/** A `config.json` of every family. */
export function configs(): FuzzTarget<string> {
  return {
    name: "config",
    inputs: mutatedJson(directories("config.json")),
    async check(text) {
      const files = { "config.json": new TextEncoder().encode(text) };
      await readOrRefused(() => outlineModel(text), [ModelError]);
      const json = await readOrRefused(() => modelFiles(files).json("config.json"), [ModelError]);
      const config = json && (await readOrRefused(() => parseConfig(json), [ModelError]));
      if (!json || !config) return;
      checkNumbers(config, ["normEpsilon", "ropeBase"]);
      const vision = visionOf(json);
      if (!vision) return;
      const read = vision.gridTower ?? vision.tower;
      const tower = await readOrRefused(() => read(json, config.hidden), [ModelError]);
      if (!tower) return;
      checkNumbers(tower, ["normEpsilon"]);
      if (!("connector" in tower)) return;
      const { activation, connector } = tower;
      ensure(isWhole(connector.fold), `a fold of ${connector.fold}`);
      for (const name of [activation, connector.activation ?? "gelu"]) {
        ensure(["gelu", "geluTanh", "quickGelu", "silu"].includes(name), `activation ${name}`);
      }
    },
  };
}

/** The configuration of an image processor, for the vision encoder of its directory. */
export function preprocessors(): FuzzTarget<string> {
  const seeds = modelDirectories().flatMap((directory) => {
    const [config, preprocessor] = ["config.json", "preprocessor_config.json"].map((name) => {
      const file = path.join(directory, name);
      return fs.existsSync(file)
        ? (JSON.parse(fs.readFileSync(file, "utf8")) as unknown)
        : undefined;
    });
    return config && preprocessor ? [JSON.stringify({ config, preprocessor })] : [];
  });
  return {
    name: "preprocessor",
    inputs: mutatedJson(seeds),
    async check(text) {
      const processor = await readOrRefused(() => processorOf(text), [ModelError]);
      if (!processor) return;
      const [width, height] = processor.sizeFor(40, 30);
      ensure(isWhole(width) && isWhole(height), `an image of ${width} × ${height}`);
      if (width * height > 1e6) return;
      const data = new Uint8ClampedArray(width * height * 4);
      const image = processor.process({ data, width, height });
      const { pixelValues, tiles } = image;
      ensure(isWhole(tiles), `${tiles} tiles`);
      ensure(pixelValues.length % tiles === 0, `${pixelValues.length} values in ${tiles} tiles`);
      ensure(pixelValues.every(Number.isFinite), "pixels that are no numbers");
    },
  };
}

/** A tokenizer with its chat template: loaded, and used once. */
export function tokenizers(): FuzzTarget<string> {
  const names = ["tokenizer.json", "tokenizer_config.json", "chat_template.json"];
  const seeds = modelDirectories().flatMap((directory) => {
    const found = names.filter((name) => fs.existsSync(path.join(directory, name)));
    const read = (name: string) => JSON.parse(fs.readFileSync(path.join(directory, name), "utf8"));
    return JSON.stringify(Object.fromEntries(found.map((name) => [name, read(name)])));
  });
  return {
    name: "tokenizer",
    inputs: mutatedJson(seeds.filter(({ length }) => length < 40_000)),
    async check(text) {
      const files = Object.entries(parsed(text)).map(([name, json]) => {
        return [name, new TextEncoder().encode(JSON.stringify(json) ?? "")] as const;
      });
      await readOrRefused(async () => {
        const tokenizer = await Tokenizer.load(modelFiles(Object.fromEntries(files)));
        const content = [{ type: "image" }, { type: "text", text: "What is 1 < 2?" }] as const;
        const ids = tokenizer.encode(tokenizer.render([{ role: "user", content }]));
        ensure(
          ids.every((id) => Number.isSafeInteger(id) && id >= 0),
          `ids ${ids.join()}`,
        );
        ensure(typeof tokenizer.decode(ids) === "string", "ids that are no text");
      }, [ModelError]);
    },
  };
}

async function processorOf(text: string): Promise<ImageProcessor | undefined> {
  const { config: json, preprocessor } = parsed(text);
  if (typeof json !== "object" || json === null) return undefined;
  const config = parseConfig(json);
  const vision = visionOf(json as JsonObject);
  if (!vision) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify(preprocessor) ?? "");
  const files = modelFiles({ "preprocessor_config.json": bytes });
  return openVision(vision, json as JsonObject, config).processor(files);
}

/** As in the loader: only a model that has such a section reads images. */
function visionOf(json: JsonObject): ModelFamily["vision"] {
  return json.vision_config === undefined ? undefined : familyOf(json)?.vision;
}

/** Every number is a positive integer but those in `real`, which are positive. */
function checkNumbers(config: object, real: readonly string[]): void {
  for (const [name, value] of Object.entries(config)) {
    if (typeof value !== "number") continue;
    const isRight = real.includes(name) ? value > 0 && Number.isFinite(value) : isWhole(value);
    ensure(isRight, `${name} is ${value}`);
  }
}

async function checkTensors(files: Files): Promise<void> {
  const tensors = await readOrRefused(() => readTensorMap(memorySource(files)), [ModelError]);
  for (const { name, file, start, end, shape } of tensors?.values() ?? []) {
    const length = files[file]?.length ?? 0;
    ensure(start >= 8 && start <= end && end <= length, `${name} is ${start}–${end} of ${length}`);
    ensure(Array.isArray(shape), `${name} has no shape`);
  }
}

/** A weight file with this header and 64 bytes of data. */
function withHeader(json: string): Uint8Array<ArrayBuffer> {
  return safetensors(json, new Uint8Array(64));
}

function memorySource(files: Files): ByteSource {
  const bytesOf = (file: string) => (Object.hasOwn(files, file) ? files[file] : undefined);
  return {
    size: async (file) => bytesOf(file)?.length,
    read: async (file, start, end) => cut(file, bytesOf(file) ?? new Uint8Array(), start, end),
  };
}

function modelFiles(files: Files): ModelFiles {
  return new ModelFiles("http://model.test/", {
    fetch: async (address) => {
      const bytes = files[new URL(String(address)).pathname.slice(1)];
      return bytes ? new Response(bytes) : new Response("", { status: 404 });
    },
  });
}

/** Model directories of this repository. */
function modelDirectories(): string[] {
  return ["public/models", "fixtures/families"].flatMap((folder) =>
    fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => path.join(folder, name)),
  );
}

function directories(file: string): string[] {
  return modelDirectories()
    .map((directory) => path.join(directory, file))
    .filter((name) => fs.existsSync(name))
    .map((name) => fs.readFileSync(name, "utf8"));
}
