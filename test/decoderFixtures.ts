import fs from "node:fs";
import { type FixturePrompt, loadFixtureDecoder } from "@/bench/fixture";
import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { Decoder } from "@/model/decoder/decoder";
import { diskSource } from "../cli/shared/disk";

export { uploadPrompt as prepare } from "@/bench/fixture";

/** `fixtures/decoder/README.md` describes these. */
export interface FixtureCase extends FixturePrompt {
  readonly rows: number;
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

export const FIXTURES: readonly FixtureModel[] = JSON.parse(
  fs.readFileSync(new URL("index.json", ROOT), "utf8"),
).models;

/** A section of PyTorch's output. */
export function section(test: FixtureCase, name: string): Float32Array<ArrayBuffer> {
  const { offset, shape } = test.sections[name] as { offset: number; shape: number[] };
  const bytes = new Uint8Array(fs.readFileSync(new URL(test.file, ROOT)));
  const count = shape.reduce((a, b) => a * b, 1);
  return new Float32Array(bytes.buffer, offset * 4, count);
}

export function loadDecoder(
  gpu: Gpu,
  { path }: FixtureModel,
  variants: Variants,
  options?: Parameters<typeof loadFixtureDecoder>[3],
): Promise<Decoder> {
  return loadFixtureDecoder(gpu, diskSource(path), variants, options);
}
