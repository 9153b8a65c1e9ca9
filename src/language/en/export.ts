/** The exported HTML page. */
export const exportEn = {
  endings: {
    stop: "",
    cancelled: "Stopped.",
    length: "Ended at the length limit.",
    context: "Ended because the context is full.",
    memory: "Ended because the memory is full.",
  },
  same: (isHidden: boolean) => `The same answer as ${reference(isHidden)}.`,
  differs: (isHidden: boolean) => `Differs from ${reference(isHidden)}.`,
  before: "KV cache before",
  after: "after compaction",
  end: "at the end",
  full: "full cache",
  perToken: "Per token",
  firstToken: "First token",
  appended: "Rows appended",
  prefilled: "Rows prefilled",
  cached: "Rows cached",
  read: "Read per token",
  kept: (kept: string, all: string) => `${kept} of ${all} patches kept`,
  keptOf: (title: string, kept: string) => `${title}: ${kept}, mean over the layers`,
  date: "Date",
  model: "Model",
  modelOf: (model: string, weights: string, cache: string) =>
    `${model} (${weights}, KV cache ${cache})`,
  adapter: "Adapter",
  unknownVersion: "unknown",
  software: "A software adapter computed answers here: its times are not representative.",
  footer:
    "Exported from Keepsight. Bytes are those of live GPU buffers; times were measured on the adapter named " +
    "above. A patch is covered by the share of layers that dropped it; numbers of patches are means over the layers.",
  layers: {
    name: "Rows per layer",
    summary: (rows: readonly string[], most: string) =>
      `Rows of the prompt that are left, layer by layer: ${rows.join(", ")}; of at most ${most}.`,
    most: (rows: string) => `${rows} rows`,
    first: "layer 1",
  },
  memory: {
    name: "KV cache",
    summary: (peak: string, end: string, full: string) =>
      `KV cache while it was answered: at most ${peak}, ${end} at the end; the full cache would take ${full}.`,
    end: (bytes: string) => `${bytes} at the end`,
  },
  time: {
    name: "Time per token",
    summary: (tokens: number, least: string, most: string) =>
      `Milliseconds of tokens 2 to ${tokens}: from ${least} to ${most}.`,
    first: "token 2",
  },
};

function reference(isHidden: boolean): string {
  return isHidden ? "the whole image’s" : "the full cache";
}
