import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planFor } from "@/compression/plan";
import { POLICIES } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import type { Taps } from "@/compression/taps/registry";
import type { KeepPlan, LayerPlan, Policy } from "@/compression/types";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { sharedTaps, type TapRequest, tapsOf } from "@/runtime/report/tapRecording";
import {
  type PrefillSpan,
  planInput,
  prefillSpan,
  visualRowsOf,
} from "@/runtime/request/prefillSpan";
import type { EncodedImage, EncodedSegment } from "@/runtime/session/images";
import type { Segment } from "@/runtime/stages/job";
import { mergedRows } from "@/runtime/stages/mergedFeatures";
import { keptRowsOf, plannedFeatures, readVisionTaps } from "@/runtime/stages/pruning";
import { diskSource } from "../../../cli/shared/disk";
import { CpuDecoder, type FeatureRow, type OpenRows, openRows } from "../../../test/cpuDecoder";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES, type FamilyCase } from "../../../test/families";
import { FamilyModel } from "../../../test/familyModel";
import { maxError } from "../../../test/kernels";
import { type HeadRows, mergeOnCpu, nearestOnCpu, readCache, roundRow } from "../../../test/kv";
import { loadWeights } from "../checkpoint/weights";
import { Decoder, promptIds } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import type { KvCache } from "../kv/cache";
import { compact, gatherFork } from "../kv/compaction";
import { type Assignments, nearestKeepers } from "../kv/nearestKeepers";
import type { AxisPositions } from "../kv/tokenPositions";
import { TapRecorder } from "../taps/taps";
import { featureBuffers, type VisionEncoder } from "../vision/encoder";
import { firstEqualRows } from "../vision/visualRows";
import { familyOf } from "./registry";

/**
 * Every family, case and policy: decoding on the compressed cache against a CPU decoder that
 * sees the kept rows of the full one. A policy that chooses before the prefill is compared with a CPU decoder that
 * computes the kept rows alone. Of the cases of two turns, each family has each policy with one, the second turn
 * compressed, too.
 */

/**
 * The same f32 rows in another order, through up to three layers. A key of a new row that lies between two codes may take
 * the other one.
 */
const TOLERANCE: Readonly<Record<KvType, number>> = { f32: 2e-4, f16: 2e-4, q8: 2e-3, q4: 2e-3 };
/** Means are rounded again, and many of them are summed in another order. */
const MERGED_TOLERANCE = { ...TOLERANCE, q8: 2e-2, q4: 2e-2 };
const RETENTION = 0.3;
/** More for one picture than for the other cases. */
const newTokens = ({ name }: FamilyCase, kvType: KvType) =>
  name === "one" && kvType === "f32" ? 8 : 4;
const isFirst = (name: string) => name === "one" || name === "text";

type Floats = Float32Array<ArrayBuffer>;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const configOf = (name: string) =>
  JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/${name}/config.json`, "utf8"));
const NAMES = fs
  .readdirSync(FAMILY_FIXTURES)
  .filter((file) => fs.existsSync(`${FAMILY_FIXTURES}/${file}/config.json`))
  // The CPU decoder reads weights as PyTorch stores them.
  .filter((name) => familyOf(configOf(name)) && !configOf(name).quantization);

/**
 * The policies that a case is tested with: every second one for the two cases of two turns with an image, so that
 * each policy has one of them in each family.
 */
function policiesOf(name: string, test: FamilyCase, kvType: KvType): readonly Policy[] {
  // Rows that are chosen before the prefill see no others.
  if (kvType !== "f32") return POLICIES.filter(({ beforePrefill }) => !beforePrefill);
  const halves = ["turns", "turns-pictures"].indexOf(test.name);
  if (halves < 0) return POLICIES;
  return POLICIES.filter((_, i) => (i + NAMES.indexOf(name)) % 2 === halves);
}

/** An image's features on the GPU, and the same as rows for the CPU. */
interface TestImage extends EncodedImage {
  readonly onCpu: readonly FeatureRow[];
}

/** A cache and what a CPU decoder has instead. */
interface Both {
  readonly cache: KvCache;
  readonly rows: OpenRows;
  readonly logits: Floats;
  readonly merges?: boolean;
}

/** Caches of codes, one case each: an ordinary family, one with a bias of keys, and one with a norm of keys. */
const CASES: readonly (readonly [string, KvType])[] = [
  ...NAMES.map((name) => [name, "f32"] as const),
  ["smolvlm", "q8"],
  ["qwen2", "q4"],
  ["qwen3", "q8"],
];

describe.each(CASES)("%s, %s cache", async (name, kvType) => {
  const model = await FamilyModel.open(name);
  const { config } = model;
  const cpu = new CpuDecoder(model.folder, kvType);
  const images = new Map<string, TestImage>();
  let decoder: Decoder;
  let encoder: VisionEncoder | undefined;

  beforeAll(async () => {
    const source = diskSource(model.folder);
    const weights = await loadWeights(gpu, config, source);
    decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType });
    encoder = await model.vision?.weights.load(gpu, source, PLAIN);
    for (const key of model.pictures.keys()) images.set(key, await encode(key));
  });
  afterAll(async () => {
    for (const image of images.values()) {
      for (const buffer of featureBuffers(image)) gpu.memory.destroy(buffer);
    }
    await encoder?.release();
    decoder.destroy();
  });

  async function encode(key: string): Promise<TestImage> {
    const picture = model.pictures.get(key)!;
    const encoded = await encoder!.encode(picture, { attention: true });
    const { rows, width, buffer, deepstack = [] } = encoded;
    const read = async (from: GPUBuffer) => {
      const data = new Float32Array(await gpu.read(from, 0, rows * width * 4));
      return Array.from({ length: rows }, (_, row) => data.slice(row * width, (row + 1) * width));
    };
    const features = await read(buffer);
    const levels = await Promise.all(deepstack.map(read));
    const onCpu = features.map((row, i) => ({
      features: row,
      deepstack: levels.map((level) => level[i]!),
    }));
    const firstEqual = firstEqualRows(picture, model.vision!.featureSide);
    const tiles = picture.geometry.tiles.length;
    const project = (rows: Floats) => encoder!.project!(rows);
    return { ...encoded, tiles, onCpu, firstEqual, ...(encoded.unprojected && { project }) };
  }

  // Two turns of text are told apart from two with an image in the families of text alone.
  const tested = model.cases.filter((test) =>
    kvType === "f32" ? !model.vision || test.name !== "text-turns" : isFirst(test.name),
  );
  describe.each(tested.map((test) => [test.name, test] as const))("%s", (_, test) => {
    const { tiles, firstEnd } = model.prompt(test);
    const end = test.inputIds.length;
    const segments: readonly Segment[] =
      firstEnd === undefined
        ? [{ start: 0, end }]
        : [
            { start: 0, end: firstEnd },
            { start: firstEnd, end },
          ];
    const spans = segments.map((segment) => prefillSpan({ tiles }, segment));
    // A prompt without an image has candidates in its text.
    const scope = tiles.length > 0 ? ("visual" as const) : ("prompt" as const);
    const settings = { policy: "", retention: RETENTION, scope, options: {} };
    const positionAt = positionsOf(model, test);

    const common = { shape: config, settings, seed: 7 };
    const checkedOf = (policy: Policy) => ({ policy, options: resolveOptions(policy), settings });
    const later = POLICIES.filter(({ beforePrefill }) => !beforePrefill);
    let prefilled: KvCache;
    let full: readonly (readonly HeadRows[])[];
    let prompted: Floats;
    let taps: ReadonlyMap<Policy, Taps>;

    beforeAll(async () => {
      prefilled = decoder.createCache();
      const { requests, places } = sharedTaps(later.map(checkedOf), spans[0]!);
      const recorded = await prefillWith(prefilled, 0, requests);
      taps = new Map(later.map((policy, i) => [policy, recorded[places[i]!]!]));
      full = await readCache(prefilled);
      prompted = await decoder.logits();
    });
    afterAll(() => prefilled.destroy());

    it.each(policiesOf(name, test, kvType).map((policy) => [policy.id, policy] as const))(
      "attends like a masked full cache after %s",
      async (_, policy) => {
        let both = policy.beforePrefill ? emptyCache() : await firstCompressed(policy);
        for (const i of segments.keys()) {
          if (policy.beforePrefill) both = await appendChosen(both, i, policy);
          else if (i > 0) both = await appendCompressed(both, i, policy);
        }
        await expectSameAnswer(both);
        both.cache.destroy();
      },
    );

    /** Greedy tokens on both sides, and the logits at their end. */
    async function expectSameAnswer({ cache, rows, logits, merges }: Both): Promise<void> {
      const tolerance = (merges ? MERGED_TOLERANCE : TOLERANCE)[kvType];
      let [expected, position] = [logits, cache.position];
      expect(position).toBe(test.nextPosition);
      const args = { cache, maxNewTokens: newTokens(test, kvType), stopIds: [], sampling: GREEDY };
      for await (const { id } of generate(decoder, args)) {
        // Of two logits that are equal but for rounding, either may be chosen.
        expect(expected[id]).toBeGreaterThan(Math.max(...expected) - 2 * tolerance);
        expected = cpu.step(id, position++, rows);
      }
      expect(maxError(await decoder.logits(), expected)).toBeLessThan(tolerance);
    }

    function emptyCache(): Both {
      const { layers, kvHeads } = config;
      const none = () => Array.from({ length: kvHeads }, () => ({ k: [], v: [] }));
      const rows = Array.from({ length: layers }, none);
      return { cache: decoder.createCache(), rows: openRows(rows), logits: new Float32Array() };
    }

    /** The first turn's prompt, which all policies share, compressed. */
    async function firstCompressed(policy: Policy): Promise<Both> {
      const plan = planOf(policy, spans[0]!, taps.get(policy)!);
      const empty = full.map((heads) => heads.map(() => 0));
      const nearest = await nearestKeepers(prefilled, plan, empty);
      const cache = await gatherFork(prefilled, plan, empty);
      gpu.device.queue.writeBuffer(decoder.activations.logits, 0, prompted);
      const merges = plan.layers.some(({ merge }) => merge);
      const rows = roundedRows(masked(full, plan, empty, nearest), kvType);
      return { cache, rows, logits: prompted, merges };
    }

    /** A further turn behind a compressed one, itself compressed afterwards. */
    async function appendCompressed(
      { cache, rows }: Both,
      i: number,
      policy: Policy,
    ): Promise<Both> {
      const before = cache.rowCounts();
      const request = tapsOf(checkedOf(policy), spans[i]!);
      const [recorded] = await prefillWith(cache, i, [request]);
      const logits = append(rows, i);
      expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE[kvType]);
      const plan = planOf(policy, spans[i]!, recorded!);
      const nearest = await nearestKeepers(cache, plan, before);
      await compact(cache, plan, before);
      return { cache, rows: masked(rows, plan, before, nearest), logits };
    }

    /** A turn of which only the rows of a plan are computed. */
    async function appendChosen({ cache, rows }: Both, i: number, policy: Policy): Promise<Both> {
      const encoded = encodedOf(segments[i]!);
      const tileImages = tiles.map(({ image }) => model.pictures.get(image)!);
      const needs = policy.beforePrefill!;
      const turn = { prompt: { tiles }, tileImages };
      const vision = await readVisionTaps(gpu, { turn, segment: segments[i]! }, encoded, needs);
      const input = planInput({ span: spans[i]!, ...common, taps: {}, vision });
      const plan = planFor(policy, input);
      const made: GPUBuffer[] = [];
      const visual = visualRowsOf(spans[i]!);
      const features = await plannedFeatures(
        { gpu, plan, visual, width: config.hidden, made },
        encoded,
      );
      await decoder.prefill({
        ...argsOf(segments[i]!),
        cache,
        kept: keptRowsOf(plan),
        ...(features && { features }),
      });
      // Rows that passed the connector again are compared with PyTorch's elsewhere (`visionZip.gpu.test.ts`).
      const isAgain = plan.addsFeatures && encoded.images.every(({ project }) => project);
      const given = isAgain ? await readFeatures(features!) : undefined;
      for (const buffer of made) gpu.memory.destroy(buffer);
      const logits = append(rows, i, plan, given);
      expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE[kvType]);
      return { cache, rows, logits };
    }

    async function readFeatures(features: readonly FeatureSlice[]): Promise<FeatureRow[]> {
      const width = config.hidden;
      const read = features.map(async ({ features: slice, rows }) => {
        const data = new Float32Array(await gpu.read(slice as GPUBuffer, 0, rows * width * 4));
        return Array.from({ length: rows }, (_, row) => ({
          features: data.slice(row * width, (row + 1) * width),
          deepstack: [],
        }));
      });
      return (await Promise.all(read)).flat();
    }

    function planOf(policy: Policy, span: PrefillSpan, recorded: Taps): KeepPlan {
      return planFor(policy, planInput({ span, ...common, taps: recorded }));
    }

    async function prefillWith(
      cache: KvCache,
      i: number,
      requests: readonly TapRequest[],
    ): Promise<Taps[]> {
      const shared = { cache, heads: config.heads, reduction: PLAIN.reduction };
      const hooks: TapRecorder[] = [];
      for (const each of requests) {
        hooks.push(await TapRecorder.create(gpu, { ...shared, ...each }));
      }
      await decoder.prefill({
        ...argsOf(segments[i]!),
        cache,
        hook: {
          afterAttention: (recorder, rows) => {
            for (const hook of hooks) hook.afterAttention(recorder, rows);
          },
        },
      });
      const recorded: Taps[] = [];
      for (const hook of hooks) recorded.push(await hook.finish());
      return recorded;
    }

    function imagesOf(segment: Segment): readonly TestImage[] {
      const own = tiles.filter(({ tile, start }) => tile === 0 && isIn(segment, start));
      return own.map(({ image }) => images.get(image)!);
    }

    function encodedOf(segment: Segment): EncodedSegment {
      const shown = imagesOf(segment);
      let firstRow = 0;
      const features = shown.map(({ buffer, deepstack = [], rows }) => {
        firstRow += rows;
        return { features: buffer, deepstack, firstRow: firstRow - rows, rows };
      });
      return { images: shown, features };
    }

    function argsOf(segment: Segment) {
      const own = tiles.flatMap((tile) => {
        if (!isIn(segment, tile.start)) return [];
        const { gridRows, gridColumns } = model.pictures.get(tile.image)!.geometry.tiles[
          tile.tile
        ]!;
        const start = tile.start - segment.start;
        return [{ start, count: tile.count, gridRows, gridColumns }];
      });
      const ids = promptIds(test.inputIds.slice(segment.start, segment.end), own);
      return { ids, features: encodedOf(segment).features, grids: own };
    }

    /**
     * Computes a segment's rows on the CPU, or those that a plan keeps, its features merged.
     * @param given merged features
     */
    function append(
      rows: OpenRows,
      i: number,
      plan?: KeepPlan,
      given?: readonly FeatureRow[],
    ): Floats {
      const { start, end } = segments[i]!;
      const visual = visualRowsOf(spans[i]!);
      const shownImages = imagesOf(segments[i]!).flatMap(({ onCpu }) => onCpu);
      const features = given ?? merged(shownImages, visual, plan);
      const shown = new Map(visual.map((row, place) => [row, features[place]!]));
      const kept = plan ? keptRowsOf(plan) : Array.from({ length: end - start }, (_, row) => row);
      let logits: Floats = new Float32Array();
      for (const row of kept) {
        const input = shown.get(row) ?? test.inputIds[start + row]!;
        logits = cpu.step(input, positionAt(start + row), rows);
      }
      return logits;
    }
  });
});

/** Rows that a plan has merged, as a cache of codes holds them; the others are as they were. */
function roundedRows(rows: OpenRows, kvType: KvType): OpenRows {
  const round = (row: Floats) => roundRow(row, kvType);
  return rows.map((heads) => heads.map(({ k, v }) => ({ k: k.map(round), v: v.map(round) })));
}

const isIn = ({ start, end }: Segment, row: number) => row >= start && row < end;

/** The positions that PyTorch recorded of a prompt's tokens. */
function positionsOf(
  { arrays }: FamilyModel,
  { name, inputIds }: FamilyCase,
): (token: number) => number | AxisPositions {
  if (!arrays.has(`positions/${name}`)) return (token) => token;
  const all = new Int32Array(arrays.bytes(`positions/${name}`).buffer);
  const at = (axis: number, token: number) => all[axis * inputIds.length + token]!;
  return (token) => [at(0, token), at(1, token), at(2, token)];
}

/** Feature rows of a prompt after the means of a plan; those that it drops are not used. */
function merged(
  rows: readonly FeatureRow[],
  visual: readonly number[],
  plan: KeepPlan | undefined,
): readonly FeatureRow[] {
  const { merge } = plan?.layers[0] ?? {};
  if (merge?.kind !== "assign") return rows;
  const places = new Map(visual.map((row, place) => [row, place]));
  const into = Int32Array.from(visual, (row) => places.get(merge.into[0]![row]!) ?? -1);
  const kept = Uint32Array.from(rows.keys());
  const width = rows[0]!.features.length;
  const added = (values: readonly Floats[]) => {
    const all = mergedRows(
      Float32Array.from(values.flatMap((row) => [...row])),
      width,
      into,
      "add",
    );
    return values.map((_, row) => all.slice(row * width, (row + 1) * width));
  };
  const mean = (values: readonly Floats[]) =>
    plan?.addsFeatures
      ? added(values)
      : (mergeOnCpu({ k: values, v: values }, { base: 0, kept, rule: merge.rule, into })
          .k as Floats[]);
  const features = mean(rows.map((row) => row.features));
  const levels = rows[0]!.deepstack.map((_, level) =>
    mean(rows.map((row) => row.deepstack[level]!)),
  );
  return features.map((row, i) => ({ features: row, deepstack: levels.map((level) => level[i]!) }));
}

/**
 * The rows that a plan keeps, dropped ones merged as it says.
 * @param base [layer][head]: rows before those of the plan, which all stay
 * @param nearest what the GPU chose where a plan leaves the choice to the keys
 */
function masked(
  full: readonly (readonly HeadRows[])[],
  plan: KeepPlan,
  base: readonly (readonly number[])[],
  nearest: Assignments,
): OpenRows {
  const rowsOf = (layer: number, { k, v }: HeadRows, head: number) => {
    const { keep, merge }: LayerPlan = plan.layers[layer]!;
    const first = base[layer]![head]!;
    const kept = keep[keep.length === 1 ? 0 : head]!;
    const own = { k: k.slice(first), v: v.slice(first) };
    const rows = merge
      ? mergeOnCpu(own, {
          base: 0,
          kept,
          rule: merge.rule,
          into:
            merge.kind === "assign"
              ? merge.into[merge.into.length === 1 ? 0 : head]
              : nearestOnCpu(own.k, kept, merge.among, nearest.get(layer)?.[head]),
        })
      : { k: Array.from(kept, (row) => own.k[row]!), v: Array.from(kept, (row) => own.v[row]!) };
    return { k: [...k.slice(0, first), ...rows.k], v: [...v.slice(0, first), ...rows.v] };
  };
  return openRows(full.map((heads, layer) => heads.map((rows, head) => rowsOf(layer, rows, head))));
}
