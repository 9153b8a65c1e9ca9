import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "@/model/checkpoint/byteSource";
import { parseConfig } from "@/model/checkpoint/config";
import { type LoadWeightsOptions, loadWeights } from "@/model/checkpoint/weights";
import { Decoder, type DecoderOptions, promptIds } from "@/model/decoder/decoder";

/** A prompt whose image features come from a formula, so that PyTorch and we agree on them. */
export interface FixturePrompt {
  readonly ids: readonly number[];
  readonly imageSpans: readonly (readonly [start: number, end: number])[];
  readonly featureScale: number;
}

/** The decoder of a model directory, wherever its files are. */
export async function loadFixtureDecoder(
  gpu: Gpu,
  source: ByteSource,
  variants: Variants,
  options: Partial<DecoderOptions> & {
    readonly bindingBytes?: number;
    readonly contextLength?: number;
    readonly weightType?: LoadWeightsOptions["weightType"];
  } = {},
): Promise<Decoder> {
  const { bindingBytes, contextLength, weightType, ...rest } = options;
  const file = "config.json";
  const json = await source.read(file, 0, (await source.size(file)) ?? 0);
  const parsed = parseConfig(JSON.parse(new TextDecoder().decode(json)));
  const config = contextLength === undefined ? parsed : { ...parsed, contextLength };
  const limits = bindingBytes === undefined ? {} : { bindingBytes };
  const weights = await loadWeights(gpu, config, source, { ...limits, weightType });
  return Decoder.create(gpu, config, weights, { variants, kvType: "f32", ...rest });
}

/** A prompt for `Decoder.prefill`, its features uploaded; the caller destroys `buffer`. */
export function uploadPrompt(decoder: Decoder, prompt: FixturePrompt) {
  const { gpu, config } = decoder;
  const rows = prompt.imageSpans.reduce((sum, [start, end]) => sum + end - start, 0);
  const features = Float32Array.from({ length: rows * config.hidden }, (_, index) =>
    feature(index, prompt.featureScale),
  );
  const buffer = gpu.memory.storage("vision", "features", features.byteLength);
  gpu.device.queue.writeBuffer(buffer, 0, features);
  const ids = promptIds(
    prompt.ids,
    prompt.imageSpans.map(([start, end]) => ({ start, count: end - start })),
  );
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
