import fs from "node:fs";
import * as ort from "onnxruntime-web/webgpu";
import { dawn } from "../shared/dawn";

const WASM = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm";

/** ONNX Runtime Web under Node, for sessions on a device of Dawn's. */
export function nodeOrt(): typeof ort {
  const value = { gpu: dawn, userAgent: "Node" };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = new Uint8Array(fs.readFileSync(WASM)).buffer;
  ort.env.logLevel = "error";
  copySharedViews();
  return ort;
}

/** The runtime's memory is shared between threads; Dawn under Node takes no views of such memory. */
function copySharedViews(): void {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, ...rest) {
    const isShared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    const copy = isShared ? new Uint8Array(data as Uint8Array) : data;
    return writeBuffer.call(this, buffer, offset, copy as Uint8Array<ArrayBuffer>, ...rest);
  };
}
