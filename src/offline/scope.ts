/**
 * The part of a service worker's global scope that is used here. TypeScript's own declarations
 * (`lib.webworker`) cannot stand beside the page's in one project.
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
export interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface RequestEvent extends LastingEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

export interface OrderEvent extends LastingEvent {
  readonly data: Order;
  readonly ports: readonly MessagePort[];
}

/** What a page tells its service worker. */
export type Order =
  /** Store what a visit without a network needs; `model` is a folder below the scope. */
  | { readonly order: "keep"; readonly model: string }
  /** Replace the build that is shown, if this is its only page; the port hears whether. */
  | { readonly order: "takeOver" };
