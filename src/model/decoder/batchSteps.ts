import { StagedWrites } from "@/gpu/stagedWrites";
import { BatchProgram, canBatch, logitsStride } from "./batchProgram";
import type { Decoder } from "./decoder";
import { HOOK_WORDS } from "./decodeSteps";
import type { StepArgs } from "./stepProgram";
import { type SampledToken, TokenReadback } from "./tokenReadback";

/** Most sequences of a batch. */
export const MOST_SEQUENCES = 8;

/** A conversation that decodes together with others. */
export interface Sequence extends StepArgs {
  /** f32 [vocabulary]: logits that its first token is sampled from. They are read when the batch begins. */
  readonly logits: GPUBuffer;
}

/**
 * Decoding steps of several sequences over one read of the weights. A step takes every sequence that is left one
 * token further. Up to `SUBMITS_IN_FLIGHT` steps are submitted before the oldest is read, unless a hook changes its
 * cache; whoever stops a sequence takes back the rows behind its last token.
 */
export class BatchSteps<S extends Sequence = Sequence> {
  readonly #decoder: Decoder;
  readonly #writes: StagedWrites;
  readonly #readback: TokenReadback;
  #sequences: readonly S[];
  #logits: GPUBuffer;
  #program: BatchProgram | undefined;
  readonly #submitted = new Map<S, number>();

  /** @throws RangeError with too many sequences, or with heads whose rows cannot be bound by themselves */
  constructor(decoder: Decoder, sequences: readonly S[]) {
    if (sequences.length > MOST_SEQUENCES) {
      throw new RangeError(`At most ${MOST_SEQUENCES} sequences decode together.`);
    }
    if (!canBatch(decoder)) throw new RangeError("A batch needs a head size divisible by 64.");
    this.#decoder = decoder;
    this.#sequences = sequences;
    this.#readback = new TokenReadback(decoder.gpu, "sampled by a batch", sequences.length);
    const { layers, kvHeads, headDim } = decoder.config;
    const words = 4 * layers * kvHeads + headDim + HOOK_WORDS;
    this.#writes = new StagedWrites(decoder.gpu, "batch", sequences.length * words);
    this.#logits = this.#gather(sequences.map(({ logits }) => ({ from: logits, row: 0 })));
  }

  /** Sequences that still decode. */
  get sequences(): readonly S[] {
    return this.#sequences;
  }

  /** Steps that a sequence's `maxNewTokens` and the model's context leave. */
  left(sequence: S): number {
    const { cache, maxNewTokens } = sequence;
    const { contextLength } = this.#decoder.config;
    return Math.min(maxNewTokens - this.submitted(sequence), contextLength - cache.position);
  }

  /** Steps of a sequence, also of one that was dropped; each has a row in its cache. */
  submitted(sequence: S): number {
    return this.#submitted.get(sequence) ?? 0;
  }

  /** Submits one step of all sequences and resolves with their tokens, in order. */
  async submit(): Promise<readonly SampledToken[]> {
    const { device, memory } = this.#decoder.gpu;
    const staging = this.#readback.take();
    const count = this.#sequences.length;
    const encoder = device.createCommandEncoder({ label: "batch" });
    this.#writes.begin(encoder);
    for (const sequence of this.#sequences) {
      const { cache, hook } = sequence;
      if (hook?.isFinal) cache.ensureStep(this.left(sequence));
      else cache.growAhead(1, this.left(sequence));
      hook?.beforeStep?.(this.#writes);
    }
    this.#program ??= memory.allOrNothing(
      () => new BatchProgram(this.#decoder, this.#members(), this.#logits),
    );
    for (const [row, { cache }] of this.#sequences.entries()) {
      this.#writes.write(cache.table, cache.tableWords());
      this.#writes.write(this.#program.angles(row), this.#decoder.angles(cache, 1));
    }
    this.#program.encode(encoder, this.#readback, staging);
    this.#writes.upload();
    device.queue.submit([encoder.finish()]);
    for (const sequence of this.#sequences) {
      const { cache, hook } = sequence;
      if (hook?.afterStep) hook.afterStep();
      else cache.append(1);
      this.#submitted.set(sequence, this.submitted(sequence) + 1);
    }
    return this.#readback.read(staging, count);
  }

  /** A sequence has ended; the others go on without it. */
  drop(sequence: S): void {
    const left = this.#sequences.filter((each) => each !== sequence);
    const rows = left.map((each) => ({
      from: this.#logits,
      row: this.#sequences.indexOf(each),
    }));
    const before = this.#logits;
    this.#sequences = left;
    this.#logits = this.#gather(rows);
    this.#decoder.gpu.memory.destroy(before);
    this.#program?.destroy();
    this.#program = undefined;
  }

  destroy(): void {
    const { memory } = this.#decoder.gpu;
    this.#program?.destroy();
    this.#writes.destroy();
    this.#readback.destroy();
    memory.destroy(this.#logits);
  }

  #members() {
    return this.#sequences.map((sequence) => {
      return { ...sequence, drawn: this.submitted(sequence) };
    });
  }

  /** A new buffer of logits with rows of others: f32 [rows, `logitsStride`]. */
  #gather(rows: readonly { readonly from: GPUBuffer; readonly row: number }[]): GPUBuffer {
    const { gpu, config } = this.#decoder;
    const stride = logitsStride(this.#decoder) * 4;
    const logits = gpu.memory.storage("activations", "batch logits", rows.length * stride);
    const encoder = gpu.device.createCommandEncoder({ label: "batch logits" });
    for (const [to, { from, row }] of rows.entries()) {
      encoder.copyBufferToBuffer(from, row * stride, logits, to * stride, config.vocabulary * 4);
    }
    gpu.device.queue.submit([encoder.finish()]);
    return logits;
  }
}
