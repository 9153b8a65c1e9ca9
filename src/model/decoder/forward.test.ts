import { expect, it } from "vitest";
import type { Attend } from "@/gpu/kernels/attention/attend";
import type { Recorder } from "@/gpu/recorder";
import type { KvCache } from "../kv/cache";
import { type ForwardModel, recordForward } from "./forward";
import { chunkKernels, stepKernels, stepProducts } from "./layerKernels";

/** An object whose every property is its own name: buffers, weights and matrices of the test. */
function names<T extends object>(fixed: object = {}): T {
  return new Proxy(fixed, {
    get: (target, name) => (name in target ? Reflect.get(target, name) : name),
  }) as T;
}

/** A model whose kernels list themselves, with "input → output" where they have both. */
function recordingModel(log: string[], headNorm?: string): ForwardModel {
  const kernel = (name: string) => (_: Recorder, args: { input?: unknown; output?: unknown }) => {
    const { input, output } = args;
    log.push(input && output ? `${name}: ${String(input)} → ${String(output)}` : name);
  };
  const layer = names({ attentionNorm: { buffer: {}, biasFirst: 64 }, headNorm });
  const kernels = {
    embed: kernel("embed"),
    norm: kernel("norm"),
    matmul: { bias: kernel("matmul"), residual: kernel("add"), gated: kernel("gated") },
    ropeAppend: kernel("ropeAppend"),
    flash: kernel("flash"),
    attend: kernel("attend"),
    decode: {
      qkv: kernel("qkv"),
      qkvRow: kernel("qkvRow"),
      project: kernel("project"),
      gated: kernel("gated"),
      head: kernel("head"),
    },
  };
  return {
    config: names(),
    weights: names({ layers: [layer, layer] }),
    kernels: kernels as unknown as ForwardModel["kernels"],
    activations: names(),
  };
}

const cache = names<KvCache>({
  layer: () => ({ k: "k", v: "v" }),
  largestCapacity: () => 64,
});
const recorder = {} as Recorder;
const ids = {} as GPUBuffer;

function hookInto(log: string[]) {
  return {
    afterAttention: (_: Recorder, record: { readonly layer: number }) => {
      log.push(`hook ${record.layer}`);
    },
  };
}

it("prefills a chunk in the order of the mathematics, and computes logits where asked", () => {
  const log: string[] = [];
  const model = recordingModel(log);
  const pass = { cache, ids, features: [], rows: 7, firstRow: 0, hook: hookInto(log) };
  const layer = (index: number) => [
    "norm: residual → normed",
    "matmul: normed → qkv",
    "ropeAppend",
    "flash",
    `hook ${index}`,
    "add: attended → residual",
    "norm: residual → normed",
    "gated: normed → gated",
    "add: gated → residual",
  ];
  recordForward(model, recorder, { ...pass, layerKernels: chunkKernels(model, 7) });
  expect(log.splice(0)).toEqual(["embed", ...layer(0), ...layer(1)]);
  recordForward(model, recorder, { ...pass, layerKernels: chunkKernels(model, 7), logitsRow: 6 });
  expect(log.at(-1)).toBe("head");
});

it("decodes a step with five kernels per layer", () => {
  const log: string[] = [];
  const model = recordingModel(log);
  const scratch = { partials: ids, stats: ids };
  recordForward(model, recorder, {
    ...{ cache, ids, features: [], rows: 1, firstRow: 0, hook: hookInto(log), logitsRow: 0 },
    layerKernels: { ...stepKernels(model, cache, scratch), ...stepProducts(model) },
  });
  const layer = (index: number) => [
    "qkv",
    "attend",
    `hook ${index}`,
    "project: attended → residual",
    "gated: residual → gated",
    "project: gated → residual",
  ];
  expect(log).toEqual(["embed", ...layer(0), ...layer(1), "head"]);
});

it("normalises queries and keys with their rotation", () => {
  const log: string[] = [];
  const model = recordingModel(log, "weights");
  const pass = { cache, ids, features: [], firstRow: 0 };
  recordForward(model, recorder, { ...pass, rows: 7, layerKernels: chunkKernels(model, 7) });
  expect(log.splice(0).slice(2, 5)).toEqual(["matmul: normed → qkv", "ropeAppend", "flash"]);
  const scratch = { partials: ids, stats: ids };
  const step = (of: ForwardModel) => {
    const layerKernels = { ...stepKernels(of, cache, scratch), ...stepProducts(of) };
    recordForward(of, recorder, { ...pass, rows: 1, layerKernels });
    return log.splice(0).slice(1, 4);
  };
  expect(step(model)).toEqual(["head", "ropeAppend", "attend"]);
  const attendNewRow: Attend = Object.assign(
    () => log.push("append and attend"),
    model.kernels.attend,
  );
  const appending = { ...model, kernels: { ...model.kernels, attendNewRow } };
  expect(step(appending).slice(0, 2)).toEqual(["qkvRow", "append and attend"]);
});
