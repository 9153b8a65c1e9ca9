import type { Program, Recorder } from "@/gpu/recorder";
import type { Decoder } from "./decoder";
import type { GenerateArgs } from "./generation";

/** Steps on the GPU before the oldest of their tokens is read. */
export const STEPS_IN_FLIGHT = 2;
/** Dispatches of one step, hooks included: at most about a dozen per layer. */
const PROGRAM_SLOTS = 1024;

/** Submits decoding steps: a frozen program, replayed until the cache's buffers change. */
export class DecodeSteps {
  readonly #decoder: Decoder;
  readonly #args: GenerateArgs;
  readonly #staging: GPUBuffer[];
  #free: GPUBuffer[];
  #program: Program | undefined;
  #programVersion = -1;
  #partials: GPUBuffer | undefined;
  #stats: GPUBuffer | undefined;
  #submitted = 0;

  constructor(decoder: Decoder, args: GenerateArgs) {
    this.#decoder = decoder;
    this.#args = args;
    const { memory, device } = decoder.gpu;
    this.#staging = Array.from({ length: STEPS_IN_FLIGHT }, (_, index) => {
      const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
      return memory.create("activations", `sampled ${index}`, 4, usage);
    });
    this.#free = [...this.#staging];
    device.queue.writeBuffer(decoder.activations.sampled, 0, new Uint32Array(2));
  }

  /** Steps that the GPU was given; each has its row in the cache. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Submits one step; resolves with its token. */
  async submit(): Promise<number> {
    const { cache, hook } = this.#args;
    const decoder = this.#decoder;
    const { device } = decoder.gpu;
    cache.ensureRows(1);
    hook?.beforeStep?.();
    const program = this.#currentProgram();
    decoder.writeAngles(cache, 1);
    cache.writeTable();

    const staging = this.#free.pop() as GPUBuffer;
    const encoder = device.createCommandEncoder({ label: "decode" });
    program.encode(encoder);
    encoder.copyBufferToBuffer(decoder.activations.sampled, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    if (hook?.afterStep) hook.afterStep();
    else cache.append(1);
    this.#submitted++;

    await staging.mapAsync(GPUMapMode.READ);
    const id = new Uint32Array(staging.getMappedRange())[0] as number;
    staging.unmap();
    this.#free.push(staging);
    return id;
  }

  destroy(): void {
    const { memory } = this.#decoder.gpu;
    for (const buffer of this.#staging) memory.destroy(buffer);
    this.#freeProgram();
  }

  #freeProgram(): void {
    const { memory } = this.#decoder.gpu;
    this.#program?.destroy();
    if (this.#partials) memory.destroy(this.#partials);
    if (this.#stats) memory.destroy(this.#stats);
    this.#program = this.#partials = this.#stats = undefined;
  }

  #currentProgram(): Program {
    const { cache } = this.#args;
    if (this.#program && this.#programVersion === cache.version) return this.#program;
    this.#freeProgram();
    this.#programVersion = cache.version;
    const { gpu, config, kernels } = this.#decoder;
    const splits = kernels.attend.splits(this.#largestCapacity());
    const partialBytes = splits * config.heads * config.headDim * 4;
    this.#partials = gpu.memory.storage("activations", "attention partials", partialBytes);
    this.#stats = gpu.memory.storage("activations", "attention stats", splits * config.heads * 8);
    const recorder = gpu.recorder("decode", PROGRAM_SLOTS);
    this.#record(recorder);
    this.#program = recorder.program();
    return this.#program;
  }

  /** Sample, embed, layers, head. */
  #record(recorder: Recorder): void {
    const { sampling, hook } = this.#args;
    const { activations, config, kernels, weights } = this.#decoder;
    const { sampled, logits, residual } = activations;
    kernels.sample(recorder, {
      logits,
      sampled,
      vocabulary: config.vocabulary,
      settings: sampling,
    });
    kernels.embed(recorder, {
      ids: sampled,
      table: weights.embedding,
      features: [],
      output: residual,
      rows: 1,
    });
    for (let layer = 0; layer < config.layers; layer++) this.#recordLayer(recorder, layer);
    this.#decoder.recordHead(recorder, 0);
    hook?.afterLayers?.(recorder);
  }

  #recordLayer(recorder: Recorder, layer: number): void {
    const { cache, hook } = this.#args;
    const { activations, config, kernels, weights } = this.#decoder;
    const { residual, angles, queries, attended, logSums, gated } = activations;
    const layerWeights = weights.layers[layer];
    if (!layerWeights) throw new RangeError(`decoder: no layer ${layer}`);
    const { attentionNorm, output, outputBias, mlpNormWeight, gateUp, gateUpBias } = layerWeights;
    const binding = this.#decoder.bindCache(cache, layer);
    const epsilon = config.normEpsilon;
    kernels.decode.qkv(recorder, {
      shape: config,
      cache: binding,
      input: residual,
      normWeightAndBias: attentionNorm.buffer,
      biasFirst: attentionNorm.biasFirst,
      matrix: layerWeights.qkv,
      angles,
      queries,
      epsilon,
    });
    kernels.attend(recorder, {
      cache: binding,
      capacity: Math.max(...cache.regions(layer).map(({ capacity }) => capacity)),
      queries,
      partials: this.#partials as GPUBuffer,
      stats: this.#stats as GPUBuffer,
      output: attended,
      logSums,
    });
    hook?.afterAttention?.(recorder, { layer, firstRow: 0, rows: 1, q: queries, lse: logSums });
    kernels.decode.project(recorder, {
      input: attended,
      matrix: output,
      bias: outputBias,
      output: residual,
    });
    kernels.decode.gated(recorder, {
      input: residual,
      normWeight: mlpNormWeight,
      matrix: gateUp,
      bias: gateUpBias,
      output: gated,
      epsilon,
    });
    kernels.decode.project(recorder, {
      input: gated,
      matrix: layerWeights.down,
      bias: layerWeights.downBias,
      output: residual,
    });
  }

  #largestCapacity(): number {
    const { cache } = this.#args;
    const layers = Array.from({ length: cache.shape.layers }, (_, layer) => cache.regions(layer));
    return Math.max(...layers.flat().map(({ capacity }) => capacity));
  }
}
