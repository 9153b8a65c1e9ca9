import fs from "node:fs";
import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import { parseConfig } from "@/model/checkpoint/config";
import { loadWeights } from "@/model/checkpoint/weights";
import { Decoder, type DecoderOptions, promptIds } from "@/model/decoder/decoder";
import { diskSource } from "./disk";

/** `fixtures/decoder/README.md` describes these. */
export interface FixtureCase {
  readonly rows: number;
  readonly ids: readonly number[];
  readonly imageSpans: readonly (readonly [number, number])[];
  readonly featureScale: number;
  readonly greedyIds: readonly number[];
  readonly file: string;
  readonly sections: Readonly<
    Record<string, { readonly offset: number; readonly shape: readonly number[] }>
  >;
}

export interface FixtureModel {
  readonly name: string;
  readonly path: string;
  readonly cases: readonly FixtureCase[];
}

const ROOT = new URL("../fixtures/decoder/", import.meta.url);
const IMAGE_ID = 3;

export const FIXTURES: readonly FixtureModel[] = JSON.parse(
  fs.readFileSync(new URL("index.json", ROOT), "utf8"),
).models;

/** A section of what PyTorch computed. */
export function section(test: FixtureCase, name: string): Float32Array<ArrayBuffer> {
  const { offset, shape } = test.sections[name] as { offset: number; shape: number[] };
  const bytes = new Uint8Array(fs.readFileSync(new URL(test.file, ROOT)));
  const count = shape.reduce((a, b) => a * b, 1);
  return new Float32Array(bytes.buffer, offset * 4, count);
}

export async function loadDecoder(
  gpu: Gpu,
  model: FixtureModel,
  variants: Variants,
  options: Partial<DecoderOptions> & {
    readonly bindingBytes?: number;
    readonly contextLength?: number;
  } = {},
): Promise<Decoder> {
  const { bindingBytes, contextLength, ...rest } = options;
  const parsed = parseConfig(JSON.parse(fs.readFileSync(`${model.path}/config.json`, "utf8")));
  const config = contextLength === undefined ? parsed : { ...parsed, contextLength };
  const weights = await loadWeights(
    gpu,
    config,
    diskSource(model.path),
    bindingBytes === undefined ? {} : { bindingBytes },
  );
  return Decoder.create(gpu, config, weights, { variants, kvType: "f32", ...rest });
}

/** The prompt of a case, its features uploaded; the caller destroys `buffer`. */
export function prepare(decoder: Decoder, test: FixtureCase) {
  const { gpu, config } = decoder;
  const rows = test.imageSpans.reduce((sum, [start, end]) => sum + end - start, 0);
  const features = Float32Array.from({ length: rows * config.hidden }, (_, index) =>
    feature(index, test.featureScale),
  );
  const buffer = gpu.memory.storage("vision", "features", features.byteLength);
  gpu.device.queue.writeBuffer(buffer, 0, features);
  const ids = Uint32Array.from(test.ids);
  let next = 0;
  for (const [start, end] of test.imageSpans) {
    const span = promptIds(new Array(end - start).fill(IMAGE_ID), IMAGE_ID);
    ids.set(
      span.map((id) => id + next),
      start,
    );
    next += end - start;
  }
  const slices = rows > 0 ? [{ features: buffer, firstRow: 0, rows }] : [];
  return { ids, features: slices, buffer };
}

function feature(index: number, scale: number): number {
  let x = Math.imul(index + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  x ^= x >>> 15;
  return ((x >>> 8) / 2 ** 24 - 0.5) * scale;
}
