import type { Gpu } from "@/gpu/gpu";
import type { EngineEvent } from "@/protocol/event";

type MemoryEvent = Extract<EngineEvent, { type: "memory" }>;

/** Minimum time between unmarked events; events with a mark are always sent. */
const INTERVAL_MS = 50;

/** Turns changes of the memory pools into `memory` events. */
export class MemoryReporter {
  readonly #gpu: Gpu;
  readonly #emit: (event: MemoryEvent) => void;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Bytes that a full cache would take now; the session updates it. */
  fullKv = 0;

  constructor(gpu: Gpu, emit: (event: MemoryEvent) => void) {
    this.#gpu = gpu;
    this.#emit = emit;
    gpu.memory.onChange = () => {
      if (performance.now() - this.#lastAt >= INTERVAL_MS) this.#send();
    };
  }

  mark(mark: NonNullable<MemoryEvent["mark"]>): void {
    this.#send(mark);
  }

  /** Emits the current state, for instance after buffers were freed. */
  tell(): void {
    this.#send();
  }

  #send(mark?: MemoryEvent["mark"]): void {
    const at = performance.now();
    this.#lastAt = at;
    const pools = this.#gpu.memory.bytes;
    this.#emit({ type: "memory", at, pools, fullKv: this.fullKv, ...(mark ? { mark } : {}) });
  }
}
