import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import * as ort from "onnxruntime-web/webgpu";

/**
 * The only module that imports ONNX Runtime. It must be imported before
 * `@huggingface/transformers`, which sets a CDN as `wasmPaths` if it is unset at load;
 * `transformers.ts` ensures that. The factory module is bundled, so only the wasm file is served
 * separately.
 */
ort.env.wasm.wasmPaths = { wasm: wasmUrl };
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

let queue: Promise<unknown> = Promise.resolve();

/**
 * Runs `task` after all earlier tasks have ended. Two concurrent runs on the WebGPU provider hang
 * the thread, and Transformers.js' image operators share the runtime, so every call that may reach
 * ONNX Runtime goes through this queue.
 */
export function withOrt<T>(task: () => Promise<T>): Promise<T> {
  const result = queue.then(task);
  queue = result.catch(() => {});
  return result;
}

export { ort };
