import type { Order } from "./scope";

/** How long the engine waits at the first visit for the service worker to take control, in ms. */
const CONTROL_MS = 1000;
/** A newer build that does not reply within this time, in ms, takes over at a later visit. */
const TAKE_OVER_MS = 15_000;

interface Offline {
  /**
   * Resolves when the engine may read its files: at once in most visits; at the first visit when
   * the service worker is in control, so that the model is not downloaded twice; never if a newer
   * build is about to replace this page.
   */
  readonly ready: Promise<void>;
  /** Stores the files for offline use. @param modelUrl folder of the model in use */
  keep(modelUrl: string): void;
}

/**
 * Registers the service worker. Without service workers or storage the page works unchanged. The
 * development server does not register one, because its files change.
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
  const { controller } = serviceWorker;
  if (controller && (await serviceWorker.getRegistration())?.waiting) await staying(controller);
  return serviceWorker.register(new URL("sw.js", document.baseURI));
}

/**
 * A build that was downloaded during the last visit replaces this one before anything starts,
 * unless another page of this build is open, or somebody has clicked, typed or dropped a file here. Resolves if this page
 * stays; it is not reloaded then.
 */
function staying(controller: ServiceWorker): Promise<void> {
  const { serviceWorker } = navigator;
  const reload = () => location.reload();
  let isInUse = false;
  for (const type of ["pointerdown", "keydown", "drop"]) {
    addEventListener(type, () => (isInUse = true), { once: true, capture: true });
  }
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const stay = () => {
      port1.postMessage(false);
      port1.close();
      resolve();
    };
    const timer = setTimeout(stay, TAKE_OVER_MS);
    port1.onmessage = ({ data: mayTakeOver }) => {
      clearTimeout(timer);
      if (!mayTakeOver || isInUse) return stay();
      serviceWorker.addEventListener("controllerchange", reload, { once: true });
      port1.postMessage(true);
    };
    tell(controller, { order: "handOver", confirms: true }, port2);
  });
}

/** A page that bypassed its worker (a forced reload) has none; do not wait. */
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
