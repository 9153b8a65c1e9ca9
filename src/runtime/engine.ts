import { type AdapterFacts, requestDevice } from "@/gpu/device";
import { Gpu } from "@/gpu/gpu";
import type { Engine } from "@/protocol/engine";
import { type EngineEvent, type MemoryReading, NO_MEMORY } from "@/protocol/event";
import { EngineError, type EngineFailure } from "@/protocol/failure";
import type {
  AdapterRate,
  ImagePrice,
  LoadRequest,
  ModelInfo,
  ModelOutline,
  PricedImage,
} from "@/protocol/model";
import type { AskRequest, CacheSettings, CompareRequest } from "@/protocol/request";
import type { LaneOutcome, PlanPreview, TurnResult } from "@/protocol/result";
import { measureRate } from "./adapterRate";
import { asEngineError, DEVICE_LOST, DeviceFaults, isOutOfMemory, modelTooLarge } from "./failures";
import { withKernels } from "./load/kernelProgress";
import { type LoadedModel, loadModel } from "./load/loadedModel";
import { outlineModel } from "./load/outline";
import { MemoryReporter } from "./report/memoryReporter";
import { checkLoad } from "./request/request";
import { priceImages } from "./session/priceImages";
import { Session } from "./session/session";

/** A device and everything that depends on it. */
interface Device {
  readonly gpu: Gpu;
  readonly adapter: AdapterFacts;
  readonly faults: DeviceFaults;
  /** Aborts with the failure when the device is lost, so that nothing waits for it for ever. */
  readonly lost: AbortSignal;
}

interface Loaded {
  readonly model: LoadedModel;
  readonly session: Session;
}

const BUSY: EngineFailure = {
  code: "busy",
  message: "The engine is busy with another request; stop it first.",
};

/**
 * The engine itself: one device, one model, one conversation, one request at a time. It does not
 * depend on a page, so it runs in a worker and in Node.
 */
export class LocalEngine implements Engine {
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #device: Device | undefined;
  #loaded: Loaded | undefined;
  #running: { readonly abort: AbortController; readonly ended: Promise<unknown> } | undefined;

  load(request: LoadRequest): Promise<ModelInfo> {
    return this.#alone(async (signal) => {
      checkLoad(request);
      const started = performance.now();
      await this.#unload();
      const device = await this.#open();
      await device.gpu.memory.granted().catch(() => undefined); // the former model's refusals
      device.gpu.memory.limit = (request.memoryMb ?? Number.POSITIVE_INFINITY) * 1e6;
      device.gpu.memory.resetPeak();
      const model = await this.#guarded(device, () => this.#read(device, request, signal));
      const emit = (event: EngineEvent) => this.#emit(event);
      const reporter = new MemoryReporter(device.gpu, emit);
      const check = () => device.faults.check();
      this.#loaded = { model, session: new Session(model, { emit, check, reporter }) };
      reporter.tell();
      const loadPeakBytes = device.gpu.memory.overallPeak;
      return { ...model.info, loadMs: performance.now() - started, loadPeakBytes };
    });
  }

  async inspect(config: string, beside?: Readonly<Record<string, string>>): Promise<ModelOutline> {
    try {
      return await outlineModel(config, beside);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  async priceImages(images: readonly PricedImage[]): Promise<ImagePrice> {
    try {
      return priceImages(this.#need().model, images);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  /** A request may begin meanwhile; its load only makes the rates look lower. */
  async measure(): Promise<AdapterRate> {
    const device = this.#device;
    if (this.#running || !device) throw new EngineError(BUSY);
    try {
      return await this.#guarded(device, () => measureRate(device.gpu, device.adapter));
    } catch (error) {
      throw asEngineError(error);
    }
  }

  ask(request: AskRequest): Promise<TurnResult> {
    return this.#alone((signal) => {
      const { session } = this.#need();
      return this.#guarded(this.#device as Device, () => session.ask(request, signal));
    });
  }

  compare(request: CompareRequest): Promise<readonly LaneOutcome[]> {
    return this.#alone((signal) => {
      const { session } = this.#need();
      return this.#guarded(this.#device as Device, () => session.compare(request, signal));
    });
  }

  async cancel(): Promise<void> {
    this.#running?.abort.abort(new DOMException("Stopped.", "AbortError"));
    await this.#running?.ended;
  }

  async preview(settings: CacheSettings): Promise<PlanPreview> {
    try {
      return this.#need().session.preview(settings);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  async saveCache(): Promise<Blob | undefined> {
    return this.#running ? undefined : this.#loaded?.session.save();
  }

  restoreCache(saved: Blob): Promise<boolean> {
    return this.#alone(() => {
      const { session } = this.#need();
      return this.#guarded(this.#device as Device, () => session.restore(saved));
    });
  }

  async clear(): Promise<void> {
    if (!this.#loaded) return; // a model that is still loading has no conversation
    await this.cancel();
    this.#loaded?.session.clear();
  }

  async memory(): Promise<MemoryReading> {
    return this.#device?.gpu.memory.bytes ?? NO_MEMORY;
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Runs one task, refuses a second one, and converts errors to `EngineError`. */
  async #alone<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running) throw new EngineError(BUSY);
    const abort = new AbortController();
    const result = Promise.resolve().then(() => task(abort.signal));
    this.#running = { abort, ended: result.catch(() => {}) };
    try {
      return await result;
    } catch (error) {
      throw asEngineError(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** Not `Promise.race`: a promise that lives as long as the device would keep every result. */
  #guarded<T>({ lost }: Device, task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const lose = () => reject(lost.reason);
      if (lost.aborted) return lose();
      lost.addEventListener("abort", lose);
      task()
        .finally(() => lost.removeEventListener("abort", lose))
        .then(resolve, reject);
    });
  }

  async #read(
    { gpu, adapter, faults, lost }: Device,
    request: LoadRequest,
    signal: AbortSignal,
  ): Promise<LoadedModel> {
    const { onProgress, end } = withKernels(gpu, (progress) =>
      this.#emit({ type: "load", ...progress }),
    );
    try {
      const either = AbortSignal.any([signal, lost]);
      const model = await loadModel(gpu, adapter, request, { signal: either, onProgress });
      try {
        await gpu.memory.granted();
        faults.check();
        return model;
      } catch (error) {
        await model.destroy();
        throw error;
      }
    } catch (error) {
      throw isOutOfMemory(error) ? modelTooLarge(error, request.weightType) : error;
    } finally {
      end();
    }
  }

  #need(): Loaded {
    if (this.#loaded) return this.#loaded;
    throw new EngineError({ code: "noModel", message: "No model is loaded.", action: "reload" });
  }

  async #open(): Promise<Device> {
    if (this.#device) return this.#device;
    const { device, adapter } = await requestDevice();
    const losing = new AbortController();
    const gpu = new Gpu(device);
    const opened: Device = {
      gpu,
      adapter,
      lost: losing.signal,
      faults: new DeviceFaults(gpu, (why) => {
        losing.abort(new EngineError(DEVICE_LOST));
        if (this.#device !== opened) return;
        this.#device = undefined;
        // The device's buffers are already lost; the vision encoder's memory in WebAssembly must be
        // freed.
        void this.#loaded?.model.vision?.encoder.release().catch(() => {});
        this.#loaded = undefined;
        const message = why ? `${DEVICE_LOST.message} (${why})` : DEVICE_LOST.message;
        this.#emit({ type: "deviceLost", message });
      }),
    };
    this.#device = opened;
    return opened;
  }

  async #unload(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    loaded?.session.clear();
    await loaded?.model.destroy();
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
