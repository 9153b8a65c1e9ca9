/**
 * The part of a service worker's global scope that is used here. TypeScript's own declarations
 * (`lib.webworker`) conflict with the page's in one project.
 */
export interface ServiceWorkerScope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(query: {
      readonly type: "window";
      readonly includeUncontrolled: boolean;
    }): Promise<readonly { readonly url: string }[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: RequestEvent) => void): void;
  addEventListener(type: "message", listener: (event: OrderEvent) => void): void;
}

/** An event that keeps the worker alive until `work` has settled. */
interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface RequestEvent extends LastingEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface OrderEvent extends LastingEvent {
  readonly data: Order;
  readonly ports: readonly MessagePort[];
}

/** A page's messages to its service worker. */
export type Order = Keeping | Replacement;

/** Store the files for offline use. */
interface Keeping {
  readonly order: "keep";
  /** A folder below the scope. */
  readonly model: string;
}

export interface Replacement {
  /**
   * `handOver`, to the active worker: let the waiting one replace it. `takeOver`, to the waiting worker: replace the
   * shown build if it has one page. The result is sent to the port.
   */
  readonly order: "handOver" | "takeOver";
  /** The page answers by the port whether it still waits. Pages of earlier builds do not: they reload at any time. */
  readonly confirms?: true;
}
