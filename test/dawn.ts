import { isMainThread } from "node:worker_threads";
import { createNodeGpu } from "../cli/shared/dawn";

if (!isMainThread) {
  throw new Error("Unit tests run in threads, without WebGPU: name this test *.gpu.test.ts");
}

/**
 * The setup of the GPU tests.
 *
 * Dawn asks by `setImmediate` whether its work has ended, as often as it can: while a shader is compiled,
 * that is a core's whole time. Here it asks every millisecond.
 */
const POLL_MS = 1;
const poll = (ask: (...args: unknown[]) => void, ...args: unknown[]) =>
  setTimeout(ask, POLL_MS, ...args);
globalThis.setImmediate = poll as unknown as typeof setImmediate;

export { createNodeGpu as createTestGpu };
