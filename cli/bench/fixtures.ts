import fs from "node:fs";
import path from "node:path";
import { type FixturePrompt, loadFixtureDecoder, uploadPrompt } from "@/bench/fixture";
import type { Gpu } from "@/gpu/gpu";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN, type Variants } from "@/gpu/variants";
import { generate } from "@/model/decoder/generation";
import { diskSource } from "../shared/disk";
import type { Bench } from "./bench";
import type { Report } from "./report";

/** A prompt with PyTorch's logits and tokens; `fixtures/decoder/README.md` describes them. */
interface Case extends FixturePrompt {
  readonly rows: number;
  readonly greedyIds: readonly number[];
  readonly file: string;
  readonly sections: Readonly<Record<string, { offset: number; shape: readonly number[] }>>;
}

interface Model {
  readonly name: string;
  readonly path: string;
  readonly cases: readonly Case[];
}

/** Largest differences from PyTorch's logits, of one set of variants. */
interface FixtureCheck {
  readonly variants: Variants;
  readonly cases: number;
  readonly prefillError: number;
  readonly decodeError: number;
  /** Cases with other tokens. */
  readonly wrong: readonly string[];
}

const DIRECTORY = "fixtures/decoder";
/** Rows of the longest prompt that types of the cache are compared with. */
const MOST_ROWS = 600;

/** Prefills and decodes every fixture with all sets of variants that the adapter can run, the chosen one first. */
export async function checkCase({ gpu, variants: chosen, report }: Bench): Promise<void> {
  const shared = {
    reduction: "workgroup",
    matmul: "tiled",
    flash: "tiled",
    attend: "wide",
  } as const;
  const sets: Variants[] = [shared, PLAIN];
  if (gpu.features.subgroups) {
    sets.push({ ...shared, reduction: "subgroup" });
    sets.push({ ...PLAIN, matmul: "subgroup", flash: "subgroup" });
  }
  for (const attend of ["fine", "fewHeads"] as const) sets.push({ ...shared, attend });
  const isChosen = (set: Variants) => JSON.stringify(set) === JSON.stringify(chosen);
  for (const set of sets.toSorted((a, b) => Number(isChosen(b)) - Number(isChosen(a)))) {
    const what = `PyTorch's logits, ${Object.values(set).join(" ")}`;
    if (!report.hasTime(what)) return;
    tell(report, what, await checkVariants(gpu, set));
  }
}

/** What every type of the cache changes in the logits after a prompt, against PyTorch with a cache in f32. */
export async function cacheTypesCase({ gpu, variants, report }: Bench): Promise<void> {
  for (const kvType of ["q8", "q4", "f16"] as const) {
    if (!report.hasTime(`a cache in ${kvType}`)) return;
    await tellCache(report, gpu, variants, kvType);
  }
}

async function tellCache(report: Report, gpu: Gpu, variants: Variants, kvType: KvType) {
  for (const model of readModels()) {
    const decoder = await loadFixtureDecoder(gpu, diskSource(model.path), variants, { kvType });
    const errors: Record<number, number> = {};
    for (const test of model.cases.filter(({ rows }) => rows <= MOST_ROWS)) {
      const { buffer, ...prompt } = uploadPrompt(decoder, test);
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ...prompt });
      const expected = section(test, "prefillLogits");
      errors[test.rows] = worst(0, await decoder.logits(), expected);
      cache.destroy();
      gpu.memory.destroy(buffer);
    }
    decoder.destroy();
    report.add(["caches"], { kvType, model: model.name, errors });
    const said = Object.entries(errors).map(([rows, error]) => `${error.toPrecision(2)} (${rows})`);
    report.line(`cache in ${kvType}, ${model.name}: largest error ${said.join(", ")} (rows)`);
  }
}

function tell(report: Report, what: string, check: FixtureCheck): void {
  const { cases, prefillError, decodeError, wrong } = check;
  report.add(["checks"], check);
  report.line(
    `${what}: ${cases} cases, largest error ${prefillError.toExponential(1)} after prefill, ` +
      `${decodeError.toExponential(1)} after decoding`,
  );
  if (wrong.length > 0) report.problem(`${what}: other tokens for ${wrong.join(", ")}`);
}

async function checkVariants(gpu: Gpu, variants: Variants): Promise<FixtureCheck> {
  const wrong: string[] = [];
  let [cases, prefillError, decodeError] = [0, 0, 0];
  for (const model of readModels()) {
    const decoder = await loadFixtureDecoder(gpu, diskSource(model.path), variants);
    for (const test of model.cases) {
      const { buffer, ...prompt } = uploadPrompt(decoder, test);
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ...prompt });
      prefillError = worst(prefillError, await decoder.logits(), section(test, "prefillLogits"));
      const ids: number[] = [];
      const args = { cache, sampling: GREEDY, maxNewTokens: test.greedyIds.length, stopIds: [] };
      for await (const { id } of generate(decoder, args)) ids.push(id);
      decodeError = worst(decodeError, await decoder.logits(), section(test, "decodeLogits"));
      if (ids.join() !== test.greedyIds.join()) wrong.push(`${model.name} ${test.rows}`);
      cases++;
      cache.destroy();
      gpu.memory.destroy(buffer);
    }
    decoder.destroy();
  }
  return { variants, cases, prefillError, decodeError, wrong };
}

function readModels(): readonly Model[] {
  return JSON.parse(fs.readFileSync(path.join(DIRECTORY, "index.json"), "utf8")).models;
}

function section({ file, sections }: Case, name: string): Float32Array {
  const { offset, shape } = sections[name] as Case["sections"][string];
  const bytes = new Uint8Array(fs.readFileSync(path.join(DIRECTORY, file)));
  return new Float32Array(
    bytes.buffer,
    offset * 4,
    shape.reduce((a, b) => a * b, 1),
  );
}

function worst(before: number, actual: Float32Array, expected: Float32Array): number {
  let error = before;
  for (const [at, value] of actual.entries()) {
    const off = Math.abs(value - (expected[at] as number));
    if (!(off <= error)) error = Number.isNaN(off) ? Infinity : off;
  }
  return error;
}
