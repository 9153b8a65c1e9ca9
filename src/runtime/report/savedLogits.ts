import type { LoadedModel } from "../load/loadedModel";

/** A copy of a prefill's logits, which a lane's decoding steps overwrite. */
export class SavedLogits {
  readonly #model: LoadedModel;
  /** f32 [vocabulary] */
  readonly buffer: GPUBuffer;

  constructor(model: LoadedModel) {
    this.#model = model;
    const { logits } = model.decoder.activations;
    this.buffer = model.gpu.memory.storage("activations", "shared logits", logits.size);
  }

  /** A copy of the logits that are there. @throws OutOfMemoryError; no buffer stays then */
  static async take(model: LoadedModel): Promise<SavedLogits> {
    const logits = new SavedLogits(model);
    try {
      await model.gpu.memory.granted();
      logits.save();
      return logits;
    } catch (error) {
      logits.destroy();
      throw error;
    }
  }

  save(): void {
    this.#copy(this.#model.decoder.activations.logits, this.buffer);
  }

  restore(): void {
    this.#copy(this.buffer, this.#model.decoder.activations.logits);
  }

  destroy(): void {
    this.#model.gpu.memory.destroy(this.buffer);
  }

  #copy(from: GPUBuffer, to: GPUBuffer): void {
    const { device } = this.#model.gpu;
    const encoder = device.createCommandEncoder({ label: "logits" });
    encoder.copyBufferToBuffer(from, 0, to, 0, this.buffer.size);
    device.queue.submit([encoder.finish()]);
  }
}
