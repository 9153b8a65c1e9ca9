import fs from "node:fs";
import path from "node:path";
import { EngineError } from "@/protocol/failure";
import { LocalEngine } from "@/runtime/engine";
import { dawn } from "./dawn";
import type { OpenedEngine, TokenListener } from "./engine";
import { provideImages } from "./nodeImages";
import { inputError, webGpuError } from "./options";

/**
 * The engine in this process, on WebGPU under Node. The vision encoder is our own, from the safetensors: there is no ONNX
 * Runtime. A model directory and images as in `openEngine`; images are PNG files of 8-bit RGB.
 */
export async function openNodeEngine(
  modelDir: string,
  images: Readonly<Record<string, string>> = {},
): Promise<OpenedEngine> {
  const value = { gpu: dawn, userAgent: `Node ${process.version}` };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  provideImages();
  const engine = new LocalEngine();
  const files = filesOf(modelDir);
  const baseUrl = `http://localhost/${encodeURIComponent(path.basename(modelDir))}/`;
  const blobs = Object.fromEntries(
    Object.entries(images).map(([key, file]) => [key, blobOf(file)] as const),
  );
  let onToken: TokenListener | undefined;
  engine.subscribe((event) => {
    if (event.type === "token") onToken?.(event.text, event);
  });
  return {
    load: (request) => told(engine.load({ ...request, baseUrl, files })),
    ask: (request, listener) => {
      onToken = listener;
      return told(engine.ask({ ...request, images: blobs }));
    },
    compare: (request, listener) => {
      onToken = listener;
      return told(engine.compare({ ...request, images: blobs }));
    },
    clear: () => engine.clear(),
    memory: () => engine.memory(),
    close: () => engine.clear(),
  };
}

/** A directory's files by path, without those of ONNX. */
function filesOf(folder: string): ReadonlyMap<string, Blob> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    names
      .filter((name) => !name.startsWith("onnx") && fs.statSync(path.join(folder, name)).isFile())
      .map((name) => [name, blobOf(path.join(folder, name))] as const),
  );
}

function blobOf(file: string): Blob {
  return new Blob([new Uint8Array(fs.readFileSync(file))]);
}

/** The engine's failures as errors of a command. */
async function told<T>(outcome: Promise<T>): Promise<T> {
  try {
    return await outcome;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { code, detail } = error.failure;
    const message = [error.failure.message, detail].filter(Boolean).join(" ");
    const isNoGpu = code === "noWebGpu" || code === "missingLimit";
    throw isNoGpu ? webGpuError(message) : inputError(message);
  }
}
