import { texts } from "@/language/language";
import { loadedBytes, loadWaitsFor, type ModelState } from "@/store/engine/model";
import { formatMegabytes } from "@/text/format";

/** How far a load is: bytes of its files, then kernels of the GPU; empty if nothing is counted. */
export function loadProgressWords(model: Extract<ModelState, { phase: "loading" }>): string {
  const { compiled, asked } = model.kernels;
  if (loadWaitsFor(model) !== "files") {
    return compiled < asked ? texts.page.model.kernels(compiled, asked) : "";
  }
  const { loaded, total } = loadedBytes(model);
  if (loaded === total) return texts.page.model.soFar(formatMegabytes(loaded));
  return texts.page.device.progress(formatMegabytes(loaded), formatMegabytes(total));
}
