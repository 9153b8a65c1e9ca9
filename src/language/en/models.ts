import { counted } from "./plural";

/** Models other than the embedded one. */
export const modelsEn = {
  open: "Use another model …",
  title: "Models",
  close: "Close",
  embedded: "keepsight-mini",
  embeddedFacts: "embedded; reads synthetic pages",
  choose: "Use",
  inUse: "in use",
  remove: "Delete",
  removeOf: (id: string) => `Delete ${id} from this browser`,
  chooseOf: (id: string) => `Use ${id}`,
  resume: "Continue",
  resumeOf: (id: string) => `Continue the download of ${id}`,
  unfinished: (bytes: string) => `${bytes} so far; the download was stopped`,
  storedFacts: (bytes: string, license: string | undefined) =>
    license ? `${bytes} in this browser · ${license}` : `${bytes} in this browser`,
  hub: "From the Hugging Face Hub or an address",
  id: "Model",
  idHint: "owner/name or https://…",
  revision: "Revision",
  token: "Access token",
  tokenHint: "Only for private and gated models. It is forgotten when you leave the page.",
  more: "Revision and access token",
  look: "Look up",
  looking: "Asking the Hub …",
  families:
    "SmolVLM, SmolVLM2, Idefics3, LLaVA, InternVL3, Llama and Qwen run from their own safetensors. " +
    "They were tested with random weights, not yet with published ones.",
  suggested: "Models of these families",
  published:
    "The costs below are computed from the published configurations, without asking the Hub; " +
    "“Look up” compares them with the Hub's files and tells the licence.",
  larger: (count: number) => `${count} larger ones`,
  lookOf: (id: string) => `Look up ${id}`,
  foundTitle: (id: string) => `${id} can be used`,
  family: "Family",
  license: "Licence",
  noLicense: "not stated",
  download: "Download",
  files: (bytes: string, files: number) => `${bytes} in ${counted(files, "file")}`,
  gpu: "GPU memory",
  gpuOf: (bytes: string, format: string) => `${bytes} ${format}`,
  weights: "Weights in GPU memory",
  weightsHint:
    "8 and 4 bits take less memory; answers differ slightly. Files in 8 or 4 bits stay as they are.",
  cacheType: "KV cache in GPU memory",
  cacheTypeHint:
    "8 bits take about half of the memory of 16, and 4 bits less than a third. In return answers may change, with 4 bits more often. Every policy works with them.",
  cacheTypeOf: {
    auto: "in 16 bits (in 32 if the weights are)",
    f16: "in 16 bits",
    q8: "in 8 bits",
    q4: "in 4 bits",
  },
  weightsOf: { file: "as in the file, at most 16 bits", q8: "in 8 bits", q4: "in 4 bits" },
  roomIn: {
    fits: (free: string) => `fits: ${free} free`,
    tooLarge: (free: string) => `does not fit: ${free} free`,
  },
  deviceHas: {
    fits: (bytes: string) => `fits: this computer has ${bytes}`,
    tooLarge: (bytes: string) => `does not fit: this computer has ${bytes}`,
    unknown: "The browser does not tell how much this adapter has.",
  },
  image: "An image",
  imageOf: (tokens: string, width: number, height: number) =>
    `${tokens} tokens at ${width} × ${height} pixels`,
  speed: "Speed here",
  speedOf: (time: string) => `about ${time} for an answer about one image`,
  tooSlow: (time: string) => `too slow here: about ${time} for an answer about one image`,
  slowAbove: (bytes: string, seconds: number, read: string, multiply: string) =>
    `Weights above ${bytes} in f16 are too slow here: an answer of 50 tokens to a prompt of 1,000 would take ` +
    `more than ${seconds} s. Measured on this adapter: ${read} per second read, ${multiply} multiplied.`,
  measuring: "Measuring this adapter …",
  price: "KV cache",
  priceOf: (bytes: string) => `${bytes} per 1,000 tokens`,
  context: "Context",
  contextOf: (tokens: string) => `${tokens} tokens`,
  images: "Images",
  reads: "yes",
  textOnly: "no, text only",
  fetch: "Download and use",
  stop: "Stop",
  progress: (loaded: string, total: string) => `${loaded} of ${total}`,
  eachFile: (files: number) => `Progress of ${counted(files, "file")}`,
  terms: "Open the page with the terms",
  folder: "From a folder of this computer",
  folderHint:
    "A model directory in the Hub's layout: config.json, tokenizer.json, safetensors. You can also drop it on the page.",
  chooseFolder: "Choose a folder",
  noModelIn: (folder: string) => `“${folder}” is no model directory: it has no config.json.`,
  fresh: "Another model begins a new conversation.",
  busy: "Wait until the answer has ended.",
  /** By what the Hub or the storage refused; the English sentences are written where it is found. */
  refused: {
    notFound: (_id: string, message: string) => message,
    gated: (_id: string, message: string) => message,
    incomplete: (_id: string, message: string) => message,
    forbidden: (_id: string, message: string) => message,
    network: (_id: string, message: string) => message,
    damaged: (_id: string, message: string) => message,
    noSpace: (_id: string, message: string) => message,
  },
};
