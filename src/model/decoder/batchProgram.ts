import type { Slice } from "@/gpu/kernel";
import type { CacheBinding } from "@/gpu/kernels/kv/cacheBinding";
import { sampleSlices } from "@/gpu/kernels/sampling/sample";
import type { Program, Recorder } from "@/gpu/recorder";
import type { LayerWeights } from "../checkpoint/weights";
import type { KvCache } from "../kv/cache";
import { Scratch } from "../scratch";
import type { Decoder } from "./decoder";
import { recordProducts } from "./forward";
import { append, normOf, rowProducts, type SplitScratch } from "./layerKernels";
import { type StepArgs, splitScratch } from "./stepProgram";
import type { TokenReadback } from "./tokenReadback";

/** Upper bound of the dispatches of a layer, or of what surrounds the layers. */
const SLOTS = 256;
/** Slices of a buffer start at multiples of this many words. */
const ALIGNED_WORDS = 64;

/** A sequence of a batch. */
interface BatchMember extends StepArgs {
  /** Tokens that were sampled before. */
  readonly drawn: number;
}

/** The buffers of one sequence beside its cache: what differs between the rows of a batch. */
interface Member {
  readonly args: BatchMember;
  /** u32 [3]: as `Activations.sampled`. */
  readonly sampled: GPUBuffer;
  readonly slices: GPUBuffer;
  readonly angles: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly lse: GPUBuffer;
  readonly split: SplitScratch;
}

function bindingOf(cache: KvCache, layer: number): CacheBinding {
  const { k, v } = cache.layer(layer);
  return { keys: k, values: v, table: cache.table, layer };
}

/** Whether rows of activations start where buffers may be bound. */
export function canBatch({ config }: Decoder): boolean {
  return config.headDim % ALIGNED_WORDS === 0;
}

/** Words from one row of logits to the next. */
export function logitsStride({ config }: Decoder): number {
  return Math.ceil(config.vocabulary / ALIGNED_WORDS) * ALIGNED_WORDS;
}

/**
 * The dispatches of one decoding step of several sequences. Products take all rows at once, so that weights are read
 * once; attention takes one sequence after the other, because each has a cache of its own.
 */
export class BatchProgram {
  readonly #decoder: Decoder;
  readonly #scratch: Scratch;
  readonly #members: readonly Member[];
  readonly #ids: GPUBuffer;
  readonly #noBias: GPUBuffer;
  readonly #sampling: Program;
  readonly #embedding: Program;
  readonly #layers: { readonly program: Program; readonly version: number }[] = [];
  readonly #head: Program;

  /** @param logits f32 [sequences, `logitsStride`] that the first tokens are sampled from */
  constructor(decoder: Decoder, sequences: readonly BatchMember[], logits: GPUBuffer) {
    const { gpu, config, kernels, weights, activations } = decoder;
    const rows = sequences.length;
    this.#decoder = decoder;
    this.#scratch = new Scratch(gpu, "batch");
    this.#members = sequences.map((args) => this.#createMember(args));
    this.#ids = this.#scratch.numbers("ids", rows);
    this.#noBias = this.#scratch.numbers("no bias", logitsStride(decoder));
    const { residual, normed } = activations;
    this.#sampling = this.#record((recorder) => {
      for (const [row, { args, sampled, slices }] of this.#members.entries()) {
        const { sampling: settings, excludedId } = args;
        const { vocabulary } = config;
        const own = this.#row(logits, row, logitsStride(decoder));
        kernels.sample(recorder, {
          logits: own,
          ...{ slices, sampled, vocabulary, excludedId, settings },
        });
      }
    });
    this.#embedding = this.#record((recorder) => {
      const table = weights.embedding;
      kernels.embed(recorder, { ids: this.#ids, table, features: [], output: residual, rows });
    });
    this.#head = this.#record((recorder) => {
      const { hidden: width, normEpsilon: epsilon } = config;
      const weight = weights.finalNormWeight;
      kernels.norm(recorder, { input: residual, weight, output: normed, rows, width, epsilon });
      const matrix = { ...weights.head, rows: logitsStride(decoder) };
      const bias = this.#noBias;
      kernels.matmul.bias(recorder, { input: normed, matrix, bias, output: logits, rows });
    });
  }

  /** f32 [headDim / 2, 2]: rotary angles of a sequence's next token, written before each step. */
  angles(row: number): GPUBuffer {
    return (this.#members[row] as Member).angles;
  }

  /** Adds one step of every sequence; their tokens are copied to `staging`. */
  encode(encoder: GPUCommandEncoder, readback: TokenReadback, staging: GPUBuffer): void {
    for (let layer = 0; layer < this.#decoder.config.layers; layer++) this.#follow(layer);
    this.#sampling.encode(encoder, "batch sampling");
    for (const [row, { sampled }] of this.#members.entries()) {
      encoder.copyBufferToBuffer(sampled, 0, this.#ids, row * 4, 4);
      readback.copy(encoder, sampled, staging, row);
    }
    const pass = encoder.beginComputePass({ label: "batch" });
    this.#embedding.replay(pass);
    for (const { program } of this.#layers) program.replay(pass);
    this.#head.replay(pass);
    pass.end();
  }

  destroy(): void {
    const layers = this.#layers.splice(0).map(({ program }) => program);
    for (const program of [this.#sampling, this.#embedding, this.#head, ...layers]) {
      program.destroy();
    }
    this.#scratch.destroy();
  }

  #follow(layer: number): void {
    const version = this.#members.reduce((sum, { args: { cache, hook } }) => {
      return sum + (hook?.isFinal ? cache.version : cache.layerVersion(layer));
    }, 0);
    const recorded = this.#layers[layer];
    if (recorded?.version === version) return;
    const program = this.#record(
      (recorder) => this.#recordLayer(recorder, layer),
      recorded?.program,
    );
    this.#layers[layer] = { program, version };
  }

  #recordLayer(recorder: Recorder, layer: number): void {
    const weights = this.#decoder.weights.layers[layer] as LayerWeights;
    const layerKernels = rowProducts(this.#decoder, this.#members.length);
    layerKernels.projectQkv(recorder, weights);
    // Appends of different sequences wait for nothing of one another, so they are neighbours.
    for (const row of this.#members.keys()) this.#recordAppend(recorder, layer, row);
    for (const row of this.#members.keys()) this.#recordAttention(recorder, layer, row);
    recordProducts(this.#decoder, recorder, { layerKernels }, layer);
  }

  /** Rotation of a sequence's row, and the append to its cache. */
  #recordAppend(recorder: Recorder, layer: number, row: number): void {
    const { config, kernels, activations } = this.#decoder;
    const { heads, kvHeads, headDim } = config;
    const { args, angles, queries } = this.#members[row] as Member;
    const cache = bindingOf(args.cache, layer);
    const norm = normOf(this.#decoder, this.#decoder.weights.layers[layer] as LayerWeights);
    const qkv = this.#row(activations.qkv, row, (heads + 2 * kvHeads) * headDim);
    append(this.#decoder, recorder, { cache, rows: 1 }, (binding) =>
      kernels.ropeAppend(recorder, {
        shape: config,
        cache: binding,
        qkv,
        angles,
        queries,
        rows: 1,
        norm,
      }),
    );
  }

  #recordAttention(recorder: Recorder, layer: number, row: number): void {
    const { config, kernels, activations } = this.#decoder;
    const { args, queries, lse, split } = this.#members[row] as Member;
    const output = this.#row(activations.attended, row, config.heads * config.headDim);
    const cache = bindingOf(args.cache, layer);
    const capacity = args.cache.largestCapacity(layer);
    kernels.attend(recorder, { cache, capacity, queries, ...split, output, lse });
    args.hook?.afterAttention?.(recorder, { layer, firstRow: 0, rows: 1, q: queries, lse });
  }

  #row(buffer: GPUBuffer, row: number, words: number): Slice {
    return { buffer, offset: row * words * 4, size: words * 4 };
  }

  #createMember(args: BatchMember): Member {
    const { heads, headDim, vocabulary } = this.#decoder.config;
    const scratch = this.#scratch;
    return {
      args,
      sampled: scratch.upload("sampled", Uint32Array.of(0, args.drawn, 0)),
      slices: scratch.numbers("slices", 4 * sampleSlices(vocabulary)),
      angles: scratch.numbers("angles", headDim),
      queries: scratch.numbers("queries", heads * headDim),
      lse: scratch.numbers("lse", heads),
      split: splitScratch(this.#decoder, args.cache, args.maxNewTokens, scratch),
    };
  }

  #record(work: (recorder: Recorder) => void, before?: Program): Program {
    const recorder = this.#decoder.gpu.recorder("batch", SLOTS, before);
    work(recorder);
    return recorder.program();
  }
}
