import type { ByteSource } from "@/model/checkpoint/byteSource";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";

/** `config.json` of published models, with weights that are noise: their speed, not their answers. */
const SHAPES = {
  small: shape(2, 64, 96, [4, 2], 1000, true),
  "SmolVLM-256M": shape(30, 576, 1536, [9, 3], 49_280, true),
  "Llama-1.1B": shape(22, 2048, 5632, [32, 4], 32_000, false),
  "LLaVA-1.5-7B": shape(32, 4096, 11_008, [32, 32], 32_064, false),
  "LLaVA-OneVision-7B": shape(28, 3584, 18_944, [28, 4], 152_128, false),
} as const;

export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as readonly ShapeName[];

function shape(
  layers: number,
  hidden: number,
  intermediate: number,
  [heads, kvHeads]: readonly [number, number],
  vocabulary: number,
  isHeadTied: boolean,
): DecoderConfig {
  return parseConfig({
    model_type: "llama",
    num_hidden_layers: layers,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    vocab_size: vocabulary,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 65_536,
    tie_word_embeddings: isHeadTied,
    rope_theta: 10_000,
  });
}

const FILE = "model.safetensors";
/** f16 numbers of the noise, repeated over the file: more than the largest range that is read. */
const NOISE_VALUES = 2 ** 25;

/** The configuration of a shape, and a checkpoint of f16 noise that exists only where it is read. */
export function noiseModel(name: ShapeName): {
  readonly config: DecoderConfig;
  readonly source: ByteSource;
} {
  const config = SHAPES[name];
  const { header, gains, bytes } = layout(config);
  const noise = new Uint8Array(noiseValues().buffer);
  const source: ByteSource = {
    size: async (file) => (file === FILE ? header.length + bytes : undefined),
    async read(_file, start, end, { onBytes } = {}) {
      onBytes?.(end - start);
      if (end <= header.length) return header.slice(start, end);
      const from = ((start * 7) % NOISE_VALUES) & ~7;
      const piece = noise.slice(from, from + end - start);
      fillGains(piece, start - header.length, gains);
      return piece;
    },
  };
  return { config, source };
}

/** Header of the file, and the byte ranges of the norms' weights. */
function layout(config: DecoderConfig) {
  const entries: Record<string, object> = {};
  const gains: (readonly [number, number])[] = [];
  let bytes = 0;
  for (const [name, dims] of tensorsOf(config)) {
    const end = bytes + dims.reduce((product, size) => product * size, 2);
    entries[name] = { dtype: "F16", shape: dims, data_offsets: [bytes, end] };
    if (dims.length === 1) gains.push([bytes, end]);
    bytes = end;
  }
  const json = JSON.stringify(entries);
  const text = json.padEnd(Math.ceil(json.length / 8) * 8);
  const header = new Uint8Array(8 + text.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(text.length), true);
  header.set(new TextEncoder().encode(text), 8);
  return { header, gains, bytes };
}

function tensorsOf(config: DecoderConfig): (readonly [name: string, dims: readonly number[]])[] {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  const perLayer = [
    ["input_layernorm", [hidden]],
    ["self_attn.q_proj", [heads * headDim, hidden]],
    ["self_attn.k_proj", [kvHeads * headDim, hidden]],
    ["self_attn.v_proj", [kvHeads * headDim, hidden]],
    ["self_attn.o_proj", [hidden, heads * headDim]],
    ["post_attention_layernorm", [hidden]],
    ["mlp.gate_proj", [intermediate, hidden]],
    ["mlp.up_proj", [intermediate, hidden]],
    ["mlp.down_proj", [hidden, intermediate]],
  ] as const;
  return [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, layer) =>
      perLayer.map(([name, dims]) => [`model.layers.${layer}.${name}.weight`, dims] as const),
    ).flat(),
    ["model.norm.weight", [hidden]],
    ...(config.isHeadTied ? [] : [["lm_head.weight", [vocabulary, hidden]] as const]),
  ];
}

/** f16 bits of both signs between 2⁻⁹ and 2⁻⁵ (xorshift). */
function noiseValues(): Uint16Array<ArrayBuffer> {
  let x = 0x9e3779b9;
  return Uint16Array.from({ length: NOISE_VALUES }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return ((x >>> 16) & 0x8000) | ((6 + ((x >>> 12) & 3)) << 10) | (x & 0x3ff);
  });
}

/** Writes 1.0 wherever a piece of the data, which begins at `first`, holds a norm's weight. */
function fillGains(
  piece: Uint8Array,
  first: number,
  gains: readonly (readonly [number, number])[],
): void {
  for (const [start, end] of gains) {
    const last = Math.min(end, first + piece.length);
    for (let at = Math.max(start, first); at < last; at++) {
      piece[at - first] = (at - start) % 2 === 0 ? 0 : 0x3c;
    }
  }
}
