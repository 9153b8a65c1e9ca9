import { acceptOwnScripts } from "@/client/ownScripts";
import { createWorkerEngine } from "@/client/workerClient";
import type { Engine } from "@/protocol/engine";

declare global {
  interface Window {
    /** The engine without a page, for the command line and the engine's tests. */
    keepsight: Engine;
  }
}

acceptOwnScripts();
window.keepsight = createWorkerEngine();
