import { afterAll, describe, expect, it } from "vitest";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { checkpoint, randomTensors, SMALL, type TestTensor } from "../../../test/checkpoint";
import { createTestGpu } from "../../../test/dawn";
import { maxError } from "../../../test/kernels";
import { memorySource } from "../../../test/memorySource";
import { Decoder } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import type { ByteSource } from "./byteSource";
import type { DecoderConfig } from "./config";
import { type LoadWeightsOptions, loadWeights } from "./weights";

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const FILE = "model.safetensors";
const load = (
  tensors: ReadonlyMap<string, TestTensor>,
  config = SMALL,
  options: LoadWeightsOptions = {},
) => loadWeights(gpu, config, memorySource({ [FILE]: checkpoint(tensors) }), options);
const floats = async (buffer: GPUBuffer) => [...new Float32Array(await gpu.read(buffer))];

describe("loadWeights", () => {
  it.each([undefined, 400])(
    "lays tensors out for the kernels (parts of %s bytes)",
    async (limit) => {
      const tensors = randomTensors(SMALL);
      const weights = await load(tensors, SMALL, limit ? { bindingBytes: limit } : {});
      const values = (name: string) => [...(tensors.get(name) as TestTensor).values];
      const at = "model.layers.1.";
      const layer = weights.layers[1];
      if (!layer) throw new Error("no layer 1");

      const { buffer, biasFirst } = layer.attentionNorm;
      const vector = await floats(buffer);
      expect(vector.slice(0, 12)).toEqual(values(`${at}input_layernorm.weight`));
      expect(biasFirst % 64).toBe(0);
      expect(vector.slice(biasFirst)).toEqual(
        ["q", "k", "v"].flatMap((name) => values(`${at}self_attn.${name}_proj.bias`)),
      );
      const rows = async ({ parts }: Matrix) =>
        (await Promise.all(parts.map((part) => floats(part.buffer)))).flat();
      const qkv = ["q", "k", "v"].flatMap((name) => values(`${at}self_attn.${name}_proj.weight`));
      expect(await rows(layer.qkv)).toEqual(qkv);
      expect(await rows(layer.down)).toEqual(values(`${at}mlp.down_proj.weight`));
      expect(await floats(layer.downBias)).toEqual(values(`${at}mlp.down_proj.bias`));
      expect(await rows(weights.head)).toEqual(values("lm_head.weight"));
      const [gate, up] = [values(`${at}mlp.gate_proj.weight`), values(`${at}mlp.up_proj.weight`)];
      const halves = layer.gateUp.parts.flatMap(({ firstRow, rows: count }) => {
        const [start, end] = [firstRow * 12, (firstRow + count) * 12];
        return [...gate.slice(start, end), ...up.slice(start, end)];
      });
      expect(await rows(layer.gateUp)).toEqual(halves);
      expect(layer.gateUp.parts.length).toBe(limit ? 5 : 1);
      for (const part of layer.qkv.parts) expect(part.firstRow % SMALL.headDim).toBe(0);
      weights.destroy();
    },
  );

  it("reads the language model alone, and tells how far it is", async () => {
    const tensors = randomTensors(SMALL);
    const needed = [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
    const big = { shape: [100_000], values: new Float32Array(100_000) };
    const file = checkpoint(new Map([["model.vision_model.patch.weight", big], ...tensors]));
    const source = memorySource({ [FILE]: file });
    const told: number[] = [];
    const weights = await loadWeights(gpu, SMALL, source, {
      onProgress: (loaded, total) => told.push(loaded / total),
    });
    expect(weights.bytes).toBe(needed);
    expect(weights.parameters).toBe(needed / 4);
    expect(told.at(-1)).toBe(1);
    const last = source.reads.at(-1) as string;
    expect(Number(last.split(" ")[1]?.split("-")[0])).toBeGreaterThan(400_000);
    weights.destroy();
  });

  it.each([
    [
      "lack the tensor model.layers.1.mlp.up_proj.weight",
      "model.layers.1.mlp.up_proj.weight",
      null,
    ],
    ["lack the tensor lm_head.weight", "lm_head.weight", null],
    ["lack the tensor embed_tokens.weight", "model.embed_tokens.weight", null],
    ["model.norm.weight is [13], not [12]", "model.norm.weight", [13]],
    ["o_proj.weight is [24,12], not [12,24]", "model.layers.0.self_attn.o_proj.weight", [24, 12]],
  ] as const)("says that the weights %s, and allocates nothing", async (message, name, shape) => {
    const tensors = randomTensors(SMALL);
    if (shape) {
      const values = new Float32Array(shape.reduce((a: number, b: number) => a * b, 1));
      tensors.set(name, { shape, values });
    } else tensors.delete(name);
    const before = gpu.memory.bytes;
    await expect(load(tensors)).rejects.toMatchObject({ code: "badModel" });
    await expect(load(tensors)).rejects.toThrow(message);
    expect(gpu.memory.bytes).toEqual(before);
  });

  it("frees what it has when the line breaks", async () => {
    const whole = memorySource({ [FILE]: checkpoint(randomTensors(SMALL)) });
    const source: ByteSource = {
      size: whole.size,
      read: (file, start, end) =>
        end - start > 4000 ? Promise.reject(new Error("broken")) : whole.read(file, start, end),
    };
    const before = gpu.memory.bytes;
    await expect(loadWeights(gpu, SMALL, source)).rejects.toThrow("broken");
    expect(gpu.memory.bytes).toEqual(before);
  });
});

describe("biases", () => {
  const ids = [3, 9, 27];

  async function withDecoder<T>(
    config: DecoderConfig,
    tensors: ReadonlyMap<string, TestTensor>,
    use: (decoder: Decoder) => Promise<T>,
  ): Promise<T> {
    const weights = await load(tensors, config);
    const options = { variants: PLAIN, kvType: "f32" } as const;
    const decoder = await Decoder.create(gpu, config, weights, options);
    try {
      return await use(decoder);
    } finally {
      decoder.destroy();
    }
  }

  /** Logits after a prompt. */
  async function prefill(decoder: Decoder, prompt: readonly number[]) {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids: Uint32Array.from(prompt) });
    const result = await decoder.logits();
    cache.destroy();
    return result;
  }

  const logits = (config: DecoderConfig, tensors: ReadonlyMap<string, TestTensor>) =>
    withDecoder(config, tensors, (decoder) => prefill(decoder, ids));

  it("are the same in prefill and in decoding", async () => {
    await withDecoder(SMALL, randomTensors(SMALL), async (decoder) => {
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ids: Uint32Array.from(ids) });
      const sampling = GREEDY;
      const sampled = [];
      const args = { cache, sampling, maxNewTokens: 3, stopIds: [] };
      for await (const { id } of generate(decoder, args)) sampled.push(id);
      const decoded = await decoder.logits();
      cache.destroy();
      expect(maxError(decoded, await prefill(decoder, [...ids, ...sampled]))).toBeLessThan(1e-4);
    });
  });

  it.each(["q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"])("of %s count", async (name) => {
    const tensors = randomTensors(SMALL);
    const whole = await logits(SMALL, tensors);
    for (const [key, { shape, values }] of tensors) {
      if (key.endsWith(`${name}.bias`)) {
        tensors.set(key, { shape, values: values.map(() => 0) });
      }
    }
    const without = await logits(SMALL, tensors);
    expect(
      Math.max(...whole.map((v, at) => Math.abs(v - (without[at] as number)))),
    ).toBeGreaterThan(1e-3);
  });

  it("that are zero are no biases", async () => {
    const tensors = randomTensors(SMALL);
    for (const [key, { shape, values }] of tensors) {
      if (key.endsWith(".bias")) tensors.set(key, { shape, values: values.map(() => 0) });
    }
    const zero = await logits(SMALL, tensors);
    const bare = { ...SMALL, hasQkvBias: false, hasOutputBias: false, hasMlpBias: false };
    for (const key of [...tensors.keys()]) if (key.endsWith(".bias")) tensors.delete(key);
    expect(await logits(bare, tensors)).toEqual(zero);
  });
});
