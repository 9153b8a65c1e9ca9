import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planFor } from "@/compression/plan";
import { POLICIES as ALL } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import type { Taps } from "@/compression/taps/registry";
import type { KeepPlan, LayerPlan, Policy } from "@/compression/types";
import { PLAIN } from "@/gpu/variants";
import { sharedTaps } from "@/runtime/report/tapRecording";
import { planInput, prefillSpan } from "@/runtime/request/prefillSpan";
import { diskSource } from "../../../cli/disk";
import { CpuDecoder, type OpenRows, openRows } from "../../../test/cpuDecoder";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays, type FamilyCase, readFamily } from "../../../test/families";
import { maxError } from "../../../test/kernels";
import { type HeadRows, mergeOnCpu, nearestOnCpu, readCache } from "../../../test/kv";
import { parseConfig } from "../checkpoint/config";
import { loadWeights } from "../checkpoint/weights";
import { Decoder, promptIds } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import type { AttentionHook } from "../decoder/hooks";
import type { KvCache } from "../kv/cache";
import { gatherFork } from "../kv/compaction";
import type { RowCounts } from "../kv/layout";
import { TapRecorder } from "../taps/taps";
import { familyOf } from "./registry";

/**
 * Every family with every policy: decoding on the compacted cache against a CPU decoder that sees the
 * kept rows of the full one.
 */

/** The same f32 rows in another order, through up to three layers. */
const TOLERANCE = 2e-4;
const RETENTION = 0.3;
/** Rows that are chosen before the prefill see no others: see `keptRows.gpu.test.ts`. */
const POLICIES = ALL.filter(({ beforePrefill }) => !beforePrefill);
const NEW_TOKENS = 3;
const GREEDY = { temperature: 0, topK: 0, topP: 1, seed: 0 };

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const configOf = (name: string) =>
  JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/${name}/config.json`, "utf8"));
const NAMES = fs
  .readdirSync(FAMILY_FIXTURES)
  .filter((file) => fs.existsSync(`${FAMILY_FIXTURES}/${file}/config.json`))
  // The CPU decoder reads weights as PyTorch stores them.
  .filter((name) => familyOf(configOf(name)) && !configOf(name).quantization);

describe.each(NAMES)("%s", (name) => {
  const folder = `${FAMILY_FIXTURES}/${name}`;
  const json = configOf(name);
  const config = parseConfig(json);
  const cpu = new CpuDecoder(folder);
  const { cases } = readFamily(name);
  const test = cases.find((each) => each.name === "one") ?? cases[0]!;
  const { settings, span } = settingsOf(test, json.image_token_id ?? json.image_token_index);
  const start: RowCounts = Array.from({ length: config.layers }, () =>
    new Array<number>(config.kvHeads).fill(0),
  );

  let decoder: Decoder;
  let prefilled: KvCache;
  let full: readonly (readonly HeadRows[])[];
  let prompted: Float32Array<ArrayBuffer>;
  let taps: ReadonlyMap<Policy, Taps>;

  beforeAll(async () => {
    const weights = await loadWeights(gpu, config, diskSource(folder));
    decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f32" });
    prefilled = decoder.createCache();
    const { requests, places } = sharedTaps(
      POLICIES.map((policy) => ({ policy, options: resolveOptions(policy), settings })),
      span,
    );
    const shared = { cache: prefilled, heads: config.heads, reduction: PLAIN.reduction };
    const hooks: TapRecorder[] = [];
    for (const each of requests) {
      hooks.push(await TapRecorder.create(gpu, { ...shared, ...each }));
    }
    await prefill(decoder, prefilled, name, test, span.visual, {
      afterAttention: (recorder, rows) => {
        for (const hook of hooks) hook.afterAttention(recorder, rows);
      },
    });
    const recorded: Taps[] = [];
    for (const hook of hooks) recorded.push(await hook.finish());
    taps = new Map(POLICIES.map((policy, i) => [policy, recorded[places[i]!]!]));
    full = await readCache(prefilled);
    prompted = await decoder.logits();
  });
  afterAll(() => {
    prefilled.destroy();
    decoder.destroy();
  });

  it.each(POLICIES.map((policy) => [policy.id, policy] as const))(
    "attends like a masked full cache after %s",
    async (_, policy) => {
      const input = planInput(span, config, settings, taps.get(policy)!, 7);
      const plan = planFor(policy, input);
      const cache = await gatherFork(prefilled, plan, start);
      gpu.device.queue.writeBuffer(decoder.activations.logits, 0, prompted);
      const rows = masked(full, plan);
      let logits: Float32Array = prompted;
      let { position } = cache;
      const steps = { cache, maxNewTokens: NEW_TOKENS, stopIds: [], sampling: GREEDY };
      for await (const { id } of generate(decoder, steps)) {
        expect(id).toBe(logits.indexOf(Math.max(...logits)));
        logits = cpu.step(id, position++, rows);
      }
      expect(maxError(await decoder.logits(), logits as Float32Array<ArrayBuffer>)).toBeLessThan(
        TOLERANCE,
      );
      cache.destroy();
    },
  );
});

/** Rows of the prompt that a policy may drop: the image's, or any of a prompt without one. */
function settingsOf({ inputIds }: FamilyCase, imageTokenId: number | undefined) {
  const tiles: { image: string; tile: number; start: number; count: number }[] = [];
  for (const [row, id] of inputIds.entries()) {
    if (id !== imageTokenId) continue;
    const last = tiles.at(-1);
    if (last && last.start + last.count === row) last.count++;
    else tiles.push({ image: "one", tile: tiles.length, start: row, count: 1 });
  }
  const span = prefillSpan({ tiles }, { start: 0, end: inputIds.length });
  const scope = tiles.length > 0 ? ("visual" as const) : ("prompt" as const);
  return { span, settings: { policy: "", retention: RETENTION, scope, options: {} } };
}

/** The recorded features of the case's picture stand in for the tower. */
async function prefill(
  decoder: Decoder,
  cache: KvCache,
  name: string,
  test: FamilyCase,
  visual: readonly { readonly start: number; readonly end: number }[],
  hook: AttentionHook,
): Promise<void> {
  const arrays = new FamilyArrays(name);
  const spans = visual.map(({ start, end }) => ({ start, count: end - start }));
  const rows = spans.reduce((sum, { count }) => sum + count, 0);
  const image = test.images[0];
  const bytes = Math.max(1, rows) * decoder.config.hidden * 4;
  const buffer = gpu.memory.storage("vision", "features", bytes);
  if (image) gpu.device.queue.writeBuffer(buffer, 0, arrays.floats(`features/${image}`));
  const features = image ? [{ features: buffer, firstRow: 0, rows }] : [];
  const grids = gridsOf(arrays, test, spans);
  const ids = promptIds(test.inputIds, spans);
  await decoder.prefill({ cache, ids, features, grids, hook });
  gpu.memory.destroy(buffer);
}

/** Where a model has three position axes: the sides of its image, from the recorded positions. */
function gridsOf(
  arrays: FamilyArrays,
  { name, inputIds }: FamilyCase,
  spans: readonly { readonly start: number; readonly count: number }[],
) {
  if (!arrays.has(`positions/${name}`)) return [];
  const positions = new Int32Array(arrays.bytes(`positions/${name}`).buffer);
  const side = (axis: number, start: number, count: number) => {
    const own = positions.subarray(axis * inputIds.length).subarray(start, start + count);
    return Math.max(...own) - Math.min(...own) + 1;
  };
  return spans.map(({ start, count }) => ({
    start,
    gridRows: side(1, start, count),
    gridColumns: side(2, start, count),
  }));
}

/** The rows that a plan keeps, dropped ones merged as it says. */
function masked(full: readonly (readonly HeadRows[])[], plan: KeepPlan): OpenRows {
  const listOf = ({ keep }: LayerPlan, head: number) => keep[keep.length === 1 ? 0 : head]!;
  const rowsOf = (layer: LayerPlan, rows: HeadRows, head: number): HeadRows => {
    const kept = listOf(layer, head);
    const { merge } = layer;
    if (!merge) {
      const pick = (values: readonly Float32Array[]) => [...kept].map((row) => values[row]!);
      return { k: pick(rows.k), v: pick(rows.v) };
    }
    const into =
      merge.kind === "assign"
        ? merge.into[merge.into.length === 1 ? 0 : head]
        : nearestOnCpu(rows.k, kept, merge.among);
    return mergeOnCpu(rows, { base: 0, kept, rule: merge.rule, into });
  };
  return openRows(
    full.map((heads, layer) => heads.map((rows, head) => rowsOf(plan.layers[layer]!, rows, head))),
  );
}
