import type { LoadedModel } from "../session/loadedModel";

/** A copy of a prefill's logits, which a lane's decoding steps overwrite. */
export class SavedLogits {
  readonly #model: LoadedModel;
  readonly #saved: GPUBuffer;

  constructor(model: LoadedModel) {
    this.#model = model;
    const { logits } = model.decoder.activations;
    this.#saved = model.gpu.memory.storage("activations", "shared logits", logits.size);
  }

  save(): void {
    this.#copy(this.#model.decoder.activations.logits, this.#saved);
  }

  restore(): void {
    this.#copy(this.#saved, this.#model.decoder.activations.logits);
  }

  destroy(): void {
    this.#model.gpu.memory.destroy(this.#saved);
  }

  #copy(from: GPUBuffer, to: GPUBuffer): void {
    const { device } = this.#model.gpu;
    const encoder = device.createCommandEncoder({ label: "logits" });
    encoder.copyBufferToBuffer(from, 0, to, 0, this.#saved.size);
    device.queue.submit([encoder.finish()]);
  }
}
