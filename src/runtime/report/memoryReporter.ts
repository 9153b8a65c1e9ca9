import type { Gpu } from "@/gpu/gpu";
import type { EngineEvent } from "@/protocol/engine";

type MemoryEvent = Extract<EngineEvent, { type: "memory" }>;

/** At most one unmarked event in this time; marks are never held back. */
const INTERVAL_MS = 50;

/** Turns changes of the ledger into `memory` events. */
export class MemoryReporter {
  readonly #gpu: Gpu;
  readonly #emit: (event: MemoryEvent) => void;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** What the full cache would take now; kept up to date by the session. */
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

  /** Tells where things stand, for instance after they were freed. */
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
