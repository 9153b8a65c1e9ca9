import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import * as ort from "onnxruntime-web/webgpu";

/**
 * The only door to ONNX Runtime. Must be imported before `@huggingface/transformers`, which points
 * the runtime at a CDN if `wasmPaths` is still unset when it loads; `transformers.ts` sees to that.
 * The factory module is embedded in the bundle, so the wasm file is all there is to serve.
 */
ort.env.wasm.wasmPaths = { wasm: wasmUrl };
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

let queue: Promise<unknown> = Promise.resolve();

/**
 * Runs `task` when every task before it has ended. Two concurrent runs on the WebGPU provider hang
 * the thread for good, and Transformers.js' image operators share the runtime with us, so every
 * call that may reach ONNX Runtime goes through here.
 */
export function withOrt<T>(task: () => Promise<T>): Promise<T> {
  const result = queue.then(task);
  queue = result.catch(() => {});
  return result;
}

export { ort };
