import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { checkpoint, randomTensors, SMALL } from "../../../test/checkpoint";
import { fakeDevice, fakeGpu, stubGpuConstants } from "../../../test/fakeGpu";
import { memorySource, safetensors } from "../../../test/memorySource";
import type { ByteSource } from "./byteSource";
import type { DecoderConfig } from "./config";
import { loadWeights } from "./weights";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

it("a model of 300 MB is refused on an adapter of 256 MB before a buffer or a byte of it", async () => {
  const header: Record<string, object> = {};
  const scale = { ...SMALL, hidden: 12, vocabulary: 6_250_000 };
  let end = 0;
  for (const [name, { shape }] of randomTensors(SMALL)) {
    const wide = shape[0] === SMALL.vocabulary ? [scale.vocabulary, SMALL.hidden] : shape;
    const bytes = 2 * wide.reduce((product, extent) => product * extent, 1);
    header[name] = { dtype: "BF16", shape: wide, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const file = safetensors(header, 0);
  const read = vi.fn<ByteSource["read"]>(async (_, from, to) => file.subarray(from, to));
  const source: ByteSource = {
    size: async (name) => (name === "model.safetensors" ? file.length + end : undefined),
    read,
  };
  const gpu = fakeGpu(fakeDevice());
  gpu.memory.limit = 256e6;
  const loading = loadWeights(gpu, scale, source);
  await expect(loading).rejects.toThrow(OutOfMemoryError);
  await expect(loading).rejects.toMatchObject({ needed: end, free: 256e6 });
  expect(gpu.memory.bytes.weights).toBe(0);
  expect(read).toHaveBeenCalledTimes(2); // the header's length, and the header
});

it("a load holds hardly more than its weights: buffers, arrays and staged uploads together", async () => {
  const shape = { ...SMALL, hidden: 96, intermediate: 256, vocabulary: 2048 };
  const file = checkpoint(randomTensors(shape));
  const readBytes = 4 * Math.ceil(file.length / 40 / 4);
  const gpu = fakeGpu(fakeDevice());
  const source = memorySource({ "model.safetensors": file });
  const { bytes } = await loadWeights(gpu, shape, source, { readBytes });
  const { weights } = gpu.memory.bytes;
  // While the last bytes are uploaded: all buffers, one read, and its staged copy.
  expect(gpu.memory.overallPeak).toBeGreaterThan(weights + 1.5 * readBytes);
  expect(gpu.memory.overallPeak / bytes).toBeLessThanOrEqual(1.15);
  gpu.memory.resetPeak();
  expect(gpu.memory.overallPeak).toBe(weights);
});

it("weights that do not fit in 32 bits fit in 4, and are never held in more", async () => {
  const shape = { ...SMALL, hidden: 96, intermediate: 256, vocabulary: 2048 };
  const file = checkpoint(randomTensors(shape));
  const readBytes = 4 * Math.ceil(file.length / 40 / 4);
  const gpu = fakeGpu(fakeDevice());
  gpu.memory.limit = 0.5 * file.length;
  const load = (weightType?: "q4") => {
    const source = memorySource({ "model.safetensors": file });
    return loadWeights(gpu, shape, source, { readBytes, weightType });
  };
  await expect(load()).rejects.toThrow(OutOfMemoryError);
  const { layers, head } = await load("q4");
  expect([layers[0]?.down.dtype, head.dtype]).toEqual(["q4g32", "q8g64"]);
  expect(gpu.memory.bytes.weights).toBeLessThan(gpu.memory.limit);
  expect(gpu.memory.overallPeak).toBeLessThan(gpu.memory.bytes.weights + 8 * readBytes);
});

it("a sharded header of 7 × 10⁹ parameters is planned in under a second of CPU time", async () => {
  const config: DecoderConfig = {
    ...{ ...SMALL, layers: 32, hidden: 4096, intermediate: 11008, heads: 32, kvHeads: 32 },
    ...{ headDim: 128, vocabulary: 32064, contextLength: 4096 },
    ...{ hasQkvBias: false, hasOutputBias: false, hasMlpBias: false },
  };
  const { source, bytes } = headersOf(shapesOf(config), 3);
  const gpu = fakeGpu(fakeDevice());
  const started = process.cpuUsage();
  await expect(loadWeights(gpu, config, source)).rejects.toThrow("data");
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e3).toBeLessThan(1000);
  expect(bytes / 2).toBe(6_738_939_904);
  // Vectors are f32 in memory: 65 norms, and zeros for the biases that this model lacks.
  expect(gpu.memory.overallPeak / bytes).toBeGreaterThan(1);
  expect(gpu.memory.overallPeak / bytes).toBeLessThan(1.002);
});

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/** Of a Llama without biases. */
function shapesOf({ layers, hidden, intermediate, vocabulary }: DecoderConfig): Shapes {
  const square = ["q", "k", "v", "o"].map((name) => [`self_attn.${name}_proj`, [hidden, hidden]]);
  const layer = [
    ...(square as [string, number[]][]),
    ...["mlp.gate_proj", "mlp.up_proj"].map((name) => [name, [intermediate, hidden]] as const),
    ["mlp.down_proj", [hidden, intermediate]] as const,
    ...["input_layernorm", "post_attention_layernorm"].map((name) => [name, [hidden]] as const),
  ] as const;
  return [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, at) =>
      layer.map(([name, shape]) => [`model.layers.${at}.${name}.weight`, shape] as const),
    ).flat(),
    ["model.norm.weight", [hidden]],
    ["lm_head.weight", [vocabulary, hidden]],
  ];
}

/** Headers of f16 tensors in several files, and their index; there is no data behind them. */
function headersOf(shapes: Shapes, files: number) {
  const names = Array.from(
    { length: files },
    (_, i) => `model-0000${i + 1}-of-0000${files}.safetensors`,
  );
  const ends = names.map(() => 0);
  const headers = names.map((): Record<string, object> => ({}));
  const weightMap: Record<string, string> = {};
  for (const [i, [name, shape]] of shapes.entries()) {
    const shard = Math.floor((i * files) / shapes.length);
    const start = ends[shard] as number;
    const end = start + 2 * shape.reduce((product, extent) => product * extent, 1);
    ends[shard] = end;
    (headers[shard] as Record<string, object>)[name] = {
      ...{ dtype: "F16", shape, data_offsets: [start, end] },
    };
    weightMap[name] = names[shard] as string;
  }
  const index = new TextEncoder().encode(JSON.stringify({ weight_map: weightMap }));
  const stored = new Map([["model.safetensors.index.json", index]]);
  const sizes = new Map([["model.safetensors.index.json", index.length]]);
  for (const [i, name] of names.entries()) {
    const header = safetensors(headers[i] as object, 0);
    stored.set(name, header);
    sizes.set(name, header.length + (ends[i] as number));
  }
  const source: ByteSource = {
    size: async (file) => sizes.get(file),
    async read(file, start, end) {
      const bytes = stored.get(file);
      if (!bytes || end > bytes.length) throw new Error("data");
      return bytes.slice(start, end);
    },
  };
  return { source, bytes: ends.reduce((sum, end) => sum + end, 0) };
}
