import type { Gpu } from "@/gpu/gpu";
import { type Attend, createAttend, newRowOf } from "@/gpu/kernels/attention/attend";
import { ATTEND_DIVISIONS } from "@/gpu/kernels/attention/attendDivision";
import { createFlash, type Flash } from "@/gpu/kernels/attention/flash";
import { createRopeAppend, type RopeAppend } from "@/gpu/kernels/attention/ropeAppend";
import { createRoundRows, type RoundRows } from "@/gpu/kernels/cache/roundRows";
import { type AddFeatures, createAddFeatures } from "@/gpu/kernels/common/addFeatures";
import type { DType } from "@/gpu/kernels/common/dtype";
import { createEmbed, type Embed } from "@/gpu/kernels/common/embed";
import { compileAll } from "@/gpu/kernels/common/kernelCall";
import { createRmsNorm, type RmsNorm } from "@/gpu/kernels/common/rmsNorm";
import type { DecodeSizes } from "@/gpu/kernels/decode/compileProduct";
import type { DecodeKernels } from "@/gpu/kernels/decode/decode";
import { isGroupedKv, type KvType } from "@/gpu/kernels/kv/kvType";
import type { Matmul, MatmulStore } from "@/gpu/kernels/matmul/matmul";
import { createSampler, type Sampler } from "@/gpu/kernels/sampling/sample";
import type { Variants } from "@/gpu/variants";
import type { DecoderConfig } from "../checkpoint/config";
import type { DecoderTypes } from "../checkpoint/weights";
import { decodeByType, matmulByType } from "./byType";

/** Every kernel that a decoder runs, compiled for its shapes and data types. */
export interface KernelSet {
  readonly embed: Embed;
  readonly addFeatures: AddFeatures;
  readonly norm: RmsNorm;
  readonly matmul: Readonly<Record<"bias" | "residual" | "gated", Matmul>>;
  readonly ropeAppend: RopeAppend;
  /** For a cache of codes. */
  readonly roundRows: RoundRows | undefined;
  readonly flash: Flash;
  readonly attend: Attend;
  /** For a step whose norms or codes need whole heads, where the adapter's attention can append the row. */
  readonly attendNewRow: Attend | undefined;
  readonly decode: DecodeKernels;
  readonly sample: Sampler;
}

interface KernelSetSpec {
  readonly variants: Variants;
  readonly types: DecoderTypes;
  readonly kvType: KvType;
  readonly shape: DecoderConfig;
  /** Rows of a prefill chunk; default: by adapter and model. */
  readonly chunkRows?: number | undefined;
}

/** Rows of a prefill chunk: fewest everywhere, and most on a GPU. */
const CHUNK_ROWS = { fewest: 256, most: 1024 } as const;
/** Operations of a chunk of the fewest rows of the largest models: seconds on the slowest GPUs. */
const CHUNK_FLOPS = 2 ** 42;

/**
 * Rows of a prefill chunk. Many rows fill a GPU, but a chunk can be neither interrupted nor followed by the page's own
 * frames, so large models have few.
 */
export function chunkRowsFor({ matmul }: Variants, config: DecoderConfig): number {
  if (!matmul.startsWith("tiled")) return CHUNK_ROWS.fewest;
  const { qkv, output, gateUp, down } = decodeSizes(config);
  const layer = [qkv, output, gateUp, down].reduce(
    (sum, each) => sum + each.rows * each.columns,
    0,
  );
  const rows = CHUNK_FLOPS / (2 * config.layers * layer);
  return Math.min(CHUNK_ROWS.most, Math.max(CHUNK_ROWS.fewest, 2 ** Math.floor(Math.log2(rows))));
}

/** Sizes of the matrices of a decoding step, as stored. */
export function decodeSizes(config: DecoderConfig): Required<DecodeSizes> {
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  return {
    qkv: { rows: (heads + 2 * kvHeads) * headDim, columns: hidden },
    output: { rows: hidden, columns: heads * headDim },
    gateUp: { rows: 2 * intermediate, columns: hidden },
    down: { rows: hidden, columns: intermediate },
    head: { rows: vocabulary, columns: hidden },
  };
}

/** @throws KernelCompileError */
export async function createKernelSet(gpu: Gpu, spec: KernelSetSpec): Promise<KernelSet> {
  const { variants, types, kvType, shape } = spec;
  const chunkRows = spec.chunkRows ?? chunkRowsFor(variants, shape);
  const { reduction } = variants;
  const sizes = decodeSizes(shape);
  const division = ATTEND_DIVISIONS[variants.attend];
  const attention = { reduction, kvType, shape, division };
  const newRow = newRowOf(attention, shape.hasHeadNorm ? shape.normEpsilon : undefined);
  /** A head takes the last row of a prompt by itself; of a batch it takes a few. */
  const rowsOf = (name: keyof DecodeSizes) => (name === "head" ? 1 : chunkRows);
  const matmul = (store: MatmulStore, ...matrices: readonly (keyof DecodeSizes)[]) =>
    matmulByType(
      gpu,
      { variant: variants.matmul, store },
      matrices.map((name) => ({
        types: types[name],
        rows: rowsOf(name),
        columns: sizes[name].rows,
      })),
    );
  return compileAll({
    embed: createEmbed(gpu, types.embedding[0] as DType),
    addFeatures: createAddFeatures(gpu),
    norm: createRmsNorm(gpu, reduction),
    matmul: compileAll({
      bias: matmul("bias", "qkv", "head"),
      residual: matmul("residual", "output", "down"),
      gated: matmul("gated", "gateUp"),
    }),
    ropeAppend: createRopeAppend(gpu, kvType, shape.hasHeadNorm),
    roundRows: isGroupedKv(kvType) ? createRoundRows(gpu, kvType, shape, reduction) : undefined,
    flash: createFlash(gpu, { variant: variants.flash, kvType, shape }),
    attend: createAttend(gpu, attention),
    attendNewRow: newRow && createAttend(gpu, { ...attention, newRow }),
    decode: decodeByType(gpu, { reduction, kvType, newRow }, types, sizes),
    sample: createSampler(gpu, reduction),
  });
}
