import type { Gpu } from "@/gpu/gpu";
import { kvRowBytes } from "@/gpu/kernels/kv/kvType";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { type Decoder, promptIds } from "@/model/decoder/decoder";
import { generate } from "@/model/decoder/generation";
import type { KvCache } from "@/model/kv/cache";
import copy from "./copy.wgsl?raw";
import { createFill } from "./fill";
import type { PassTimes } from "./passTimes";

/** All dispatches of one kernel in a step or a prefill. */
export interface KernelTime {
  readonly label: string;
  readonly count: number;
  readonly us: number;
  /** Bytes of weights or of the cache that they must read, if known. */
  readonly bytes?: number;
}

/** Decoding steps with a cache of so many rows. */
export interface StepTimes {
  readonly rows: number;
  /** Milliseconds between tokens, as an answer has them. */
  readonly wallMs: readonly number[];
  /** GPU milliseconds of a step; empty without timestamps. */
  readonly gpuMs: readonly number[];
  readonly dispatches: number;
  /** Bytes of weights and cache that a step must read. */
  readonly bytes: number;
  readonly kernels: readonly KernelTime[];
}

/** Prefills of so many rows. */
export interface PrefillTimes {
  readonly rows: number;
  readonly wallMs: readonly number[];
  readonly gpuMs: number | undefined;
  readonly flops: number;
  readonly kernels: readonly KernelTime[];
}

const WARM_UP = 4;
/** Biased exponent of the smallest numbers in a cache: they are between 2⁻⁵ and 2⁻¹. */
const CACHE_EXPONENT = 10;

/** Greedy decoding steps on a cache of `rows`. The cache is as before afterwards. */
export async function timeSteps(
  decoder: Decoder,
  cache: KvCache,
  count: number,
  times: PassTimes | undefined,
): Promise<StepTimes> {
  const rows = cache.rows(0);
  await greedySteps(decoder, cache, WARM_UP);
  const wallMs = await greedySteps(decoder, cache, count);
  const gpuMs: number[] = [];
  const kernels: KernelTime[] = [];
  let dispatches = 0;
  if (times) {
    const passes = await times.run("pass", () => greedySteps(decoder, cache, count));
    gpuMs.push(...passes.map(({ us }) => us / 1000));
    dispatches = times.dispatches / count;
    const each = await times.run("dispatch", () => greedySteps(decoder, cache, WARM_UP));
    kernels.push(...byKernel(each, WARM_UP, (label) => bytesRead(decoder, label, rows)));
  }
  return { rows, wallMs, gpuMs, dispatches, bytes: stepBytes(decoder, rows), kernels };
}

/** Prefills of pseudo-random tokens into new caches. */
export async function timePrefills(
  decoder: Decoder,
  rows: number,
  repeats: number,
  times: PassTimes | undefined,
): Promise<PrefillTimes> {
  const wallMs: number[] = [];
  for (let run = 0; run <= repeats; run++) {
    const ms = await timePrefill(decoder, rows);
    if (run > 0) wallMs.push(ms); // the first run compiles
  }
  const flops = prefillFlops(decoder, rows);
  if (!times) return { rows, wallMs, gpuMs: undefined, flops, kernels: [] };
  const passes = await times.run("pass", () => timePrefill(decoder, rows));
  const each = await times.run("dispatch", () => timePrefill(decoder, rows));
  const gpuMs = passes.reduce((sum, { us }) => sum + us / 1000, 0);
  return { rows, wallMs, gpuMs, flops, kernels: byKernel(each, 1, () => undefined) };
}

/** A cache that holds `rows` rows of noise in every layer. */
export async function filledCache(decoder: Decoder, rows: number): Promise<KvCache> {
  const fill = await createFill(decoder.gpu);
  const cache = decoder.createCache();
  cache.ensureRows(rows);
  cache.append(rows);
  for (const { k, v } of cache.layers) {
    for (const buffer of [k, v]) fill(buffer, CACHE_EXPONENT);
  }
  await decoder.gpu.memory.granted();
  await decoder.gpu.device.queue.onSubmittedWorkDone();
  return cache;
}

/** Bytes a second, read and written, of a kernel that copies `bytes`: many times what the adapter's caches hold. */
export async function copyRate(gpu: Gpu, times: PassTimes, bytes: number): Promise<number> {
  const { limits } = gpu.device;
  const size = Math.min(bytes, limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const [from, to] = ["from", "to"].map((label) =>
    gpu.memory.storage("activations", `bench copy ${label}`, size),
  ) as [GPUBuffer, GPUBuffer];
  const kernel = await gpu.compile({
    label: "copy",
    code: [copy],
    access: ["read", "write"],
    params: { count: "u32" },
  });
  const recorder = gpu.recorder("copy", 16);
  const groups = [Math.ceil(size / 16 / 8 / 256)] as const;
  const passes = await times.run("dispatch", async () => {
    for (let i = 0; i < 16; i++) {
      recorder.dispatch(kernel, { buffers: [from, to], params: { count: size / 16 }, groups });
    }
    recorder.submit();
    await gpu.device.queue.onSubmittedWorkDone();
  });
  recorder.destroy();
  for (const buffer of [from, to]) gpu.memory.destroy(buffer);
  const fastest = Math.min(...passes.slice(4).map(({ us }) => us));
  return (2 * size) / (fastest / 1e6);
}

/** Milliseconds of `count` greedy steps. The cache is as before afterwards. */
export async function greedySteps(
  decoder: Decoder,
  cache: KvCache,
  count: number,
): Promise<number[]> {
  const args = { cache, sampling: GREEDY, maxNewTokens: count, stopIds: [] };
  const times: number[] = [];
  for await (const { ms } of generate(decoder, args)) times.push(ms);
  cache.truncate(count);
  return times;
}

/** A prompt of pseudo-random tokens. */
export function benchIds(rows: number): number[] {
  return Array.from({ length: rows }, (_, i) => 10 + ((i * 7919) % 700));
}

/** Milliseconds of a prefill into a new cache, until its logits can be read. */
export async function timePrefill(decoder: Decoder, rows: number): Promise<number> {
  const { gpu, activations } = decoder;
  const cache = decoder.createCache();
  const started = performance.now();
  await decoder.prefill({ cache, ids: promptIds(benchIds(rows)) });
  await gpu.read(activations.logits, 0, 4);
  const ms = performance.now() - started;
  cache.destroy();
  return ms;
}

/** The greedy answer to a prompt. */
export async function greedyIds(
  decoder: Decoder,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const cache = decoder.createCache();
  await decoder.prefill({ cache, ids: promptIds(prompt) });
  const args = { cache, sampling: GREEDY, maxNewTokens: count, stopIds: [] };
  const ids: number[] = [];
  for await (const { id } of generate(decoder, args)) ids.push(id);
  cache.destroy();
  return ids;
}

function byKernel(
  passes: readonly { readonly label: string; readonly us: number }[],
  runs: number,
  bytes: (label: string) => number | undefined,
): KernelTime[] {
  const sums = new Map<string, { count: number; us: number }>();
  for (const { label, us } of passes) {
    const sum = sums.get(label) ?? { count: 0, us: 0 };
    sums.set(label, { count: sum.count + 1, us: sum.us + us });
  }
  return [...sums]
    .map(([label, { count, us }]) => {
      const read = bytes(label);
      return {
        label,
        count: count / runs,
        us: us / runs,
        ...(read !== undefined && { bytes: read }),
      };
    })
    .toSorted((a, b) => b.us - a.us);
}

type Parts = { readonly parts: readonly { readonly buffer: GPUBuffer }[] };
const sizeOf = ({ parts }: Parts) => parts.reduce((sum, { buffer }) => sum + buffer.size, 0);

function matrixBytes({ weights }: Decoder) {
  const all = (name: "qkv" | "output" | "gateUp" | "down") =>
    weights.layers.reduce((sum, layer) => sum + sizeOf(layer[name]), 0);
  return {
    decode_qkv: all("qkv"),
    decode_project: all("output") + all("down"),
    decode_gated: all("gateUp"),
    decode_head: sizeOf(weights.head),
  };
}

function cacheBytes({ config, kvType }: Decoder, rows: number): number {
  return 2 * rows * config.layers * config.kvHeads * kvRowBytes(kvType, config.headDim);
}

/** Bytes that all dispatches of a kernel read in one step. */
function bytesRead(decoder: Decoder, label: string, rows: number): number | undefined {
  const name = label.split(" ")[0] as string;
  if (["attend_split", "attend_direct"].includes(name)) return cacheBytes(decoder, rows);
  return (matrixBytes(decoder) as Readonly<Record<string, number>>)[name];
}

/** Bytes of weights and of a cache with `rows` rows, read once. */
export function stepBytes(decoder: Decoder, rows: number): number {
  const matrices = Object.values(matrixBytes(decoder)).reduce((sum, bytes) => sum + bytes, 0);
  return matrices + cacheBytes(decoder, rows);
}

/** Products and sums: every row goes through every layer, the last one through the head, and a row attends to those before it. */
function prefillFlops({ config, weights }: Decoder, rows: number): number {
  const { layers, heads, headDim } = config;
  const head = config.vocabulary * config.hidden;
  const perRow = weights.parameters - (config.isHeadTied ? 1 : 2) * head;
  return 2 * (perRow * rows + head) + 2 * layers * heads * headDim * rows * rows;
}
