import type { Engine } from "./engine";
import type { EngineEvent } from "./event";
import type { EngineFailure } from "./failure";

type Calls = Omit<Engine, "subscribe">;
export type CallName = keyof Calls;
export type Arguments<N extends CallName> = Parameters<Calls[N]>;
export type Result<N extends CallName> = Awaited<ReturnType<Calls[N]>>;

/** Page to worker. Derived from `Engine`, so a new method needs no second list. */
export type WorkerRequest = {
  [N in CallName]: { readonly id: number; readonly call: N; readonly args: Arguments<N> };
}[CallName];

/**
 * Worker to page. `alive` names a Web Lock that the worker holds while it lives: a browser reports
 * no event when it kills a worker, but it releases the lock.
 */
export type WorkerMessage =
  | { readonly type: "alive"; readonly lock: string }
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "failure"; readonly id: number; readonly failure: EngineFailure }
  | { readonly type: "event"; readonly event: EngineEvent };
