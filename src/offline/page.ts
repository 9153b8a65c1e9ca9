import type { Order } from "./scope";

/** How long a first visit's engine waits at most for the service worker to see its files pass. */
const CONTROL_MS = 1000;
/** A newer build that does not answer in this time takes over later. */
const TAKE_OVER_MS = 5000;

export interface Offline {
  /**
   * Settles when the engine may read its files: at once in most visits; in the first one when the
   * service worker is in control, so that the model is not read twice; never where a newer build
   * is about to replace this page.
   */
  readonly ready: Promise<void>;
  /** Stores what a visit without a network needs. @param modelUrl folder of the model in use */
  keep(modelUrl: string): void;
}

/**
 * Registers the service worker. A browser that has none, or forbids storage, leaves the page as it
 * is; so does the development server, whose files change all the time.
 */
export function startOffline(): Offline {
  const registration = import.meta.env.DEV
    ? Promise.resolve(undefined)
    : register().catch(() => undefined);
  return {
    ready: registration.then(control),
    keep(modelUrl) {
      const model = modelUrl.replace(new URL(".", document.baseURI).href, "");
      void registration.then(async (found) => {
        if (!found) return;
        const { active } = await navigator.serviceWorker.ready;
        tell(active, { order: "keep", model });
      });
    },
  };
}

async function register(): Promise<ServiceWorkerRegistration> {
  const { serviceWorker } = navigator;
  const waiting = serviceWorker.controller && (await serviceWorker.getRegistration())?.waiting;
  if (waiting) await staying(waiting);
  return serviceWorker.register(new URL("sw.js", document.baseURI));
}

/**
 * A build that arrived during the last visit replaces this one before anything was started, unless
 * another page of this one is open: settles if this page stays.
 */
function staying(waiting: ServiceWorker): Promise<void> {
  const { serviceWorker } = navigator;
  const reload = () => location.reload();
  serviceWorker.addEventListener("controllerchange", reload, { once: true });
  const { port1, port2 } = new MessageChannel();
  return new Promise((stay) => {
    const timer = setTimeout(stay, TAKE_OVER_MS);
    port1.onmessage = ({ data: isTakenOver }) => {
      clearTimeout(timer);
      if (isTakenOver) return;
      serviceWorker.removeEventListener("controllerchange", reload);
      stay();
    };
    tell(waiting, { order: "takeOver" }, port2);
  });
}

/** A page that was loaded past its worker (a forced reload) stays without one: nothing to wait for. */
async function control(registration: ServiceWorkerRegistration | undefined): Promise<void> {
  const isOld = registration?.active?.state === "activated";
  if (!registration || isOld || navigator.serviceWorker.controller) return;
  await Promise.race([
    new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
    ),
    new Promise((resolve) => setTimeout(resolve, CONTROL_MS)),
  ]);
}

function tell(worker: ServiceWorker | null | undefined, order: Order, ...ports: MessagePort[]) {
  worker?.postMessage(order, ports);
}
