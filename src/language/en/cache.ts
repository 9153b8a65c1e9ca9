/** Settings of the cache and of the answer. */
export const cacheEn = {
  name: "Cache",
  done: "Done",
  policy: "Policy",
  scope: "Scope",
  visual: "Visual tokens",
  prompt: "Whole prompt",
  keep: {
    name: "Keep",
    percent: "Keep percent",
    problem: "A whole number from 1 to 100.",
    ofVisual: "% of visual tokens",
    ofPrompt: "% of the prompt",
    value: (percent: number) => `keep ${percent} %`,
  },
  sweep: {
    button: "How low can it go?",
    help: "Asks the last question at 50, 30, 20, 10, 5, 3, 2 and 1 %, from one prefill.",
    running: (done: number, all: number) => `Asking, ${done} of ${all} answers complete`,
    smallest: (policy: string, percent: number) =>
      `${policy}: down to ${percent} % every answer is the full cache’s.`,
    none: (policy: string) =>
      `${policy}: at 50 % the answer already differs from the full cache’s.`,
    answers: "Answers",
    title: (question: string) => `Answers to “${question}”`,
  },
  cap: {
    name: "Cap",
    help: "Limit of the KV cache for the whole conversation; earlier rows are dropped first.",
    off: "off",
  },
  earlier: {
    name: "Earlier images",
    help: "Share of their rows that the next question leaves, ranked by that question.",
    unchanged: "unchanged",
  },
  reference: {
    name: "Compare every answer with the full cache",
    help: "After each answer the full cache answers too, and its memory is freed again.",
  },
  more: {
    name: "More settings",
    unchanged: "visual tokens, no cap",
    cap: (megabytes: number) => `cap ${megabytes} MB`,
    notCompared: "not compared with the full cache",
  },
  optionsOf: (policy: string) => `Options of ${policy}`,
  defaults: "Back to the defaults",
  deviation: (sentence: string) => `This variant does not keep the exact budget: ${sentence}`,
  calibrate: "Calibrate on the sample pages",
  calibrating: (page: number, pages: number) => `Calibrating, page ${page} of ${pages}`,
  modelNotLoaded: "The model is not loaded.",
  sampleNotRead: "A sample page could not be read.",
  engineBusy: "An answer is on its way; calibrate after it.",
  calibrationStopped: "The calibration was stopped.",
  allowed: {
    odd: "An odd number",
    whole: "A whole number",
    any: "A number",
    text: (example: string) => `Not used: enter text like ${example}, or nothing.`,
    rule: (kind: string, min: string, max: string, empty: string | undefined) =>
      `${kind} from ${min} to ${max}${empty === undefined ? "" : `, or nothing for ${empty}`}.`,
  },
  answer: {
    name: "Answer",
    maxNewTokens: {
      label: "Length limit, in tokens",
      help: "The answer ends there, even if it is not complete.",
    },
    temperature: {
      label: "Temperature",
      help: "0 always takes the most likely token; higher values sample more broadly.",
    },
    topP: {
      label: "Top-p",
      help: "Samples from the most likely tokens with this total probability; 1 means all.",
    },
    seed: {
      label: "Seed",
      help: "The same seed samples the same tokens, and selects the same rows under Random.",
    },
  },
  settings: {
    withCap: (settings: string, megabytes: number) => `${settings}, cap ${megabytes} MB`,
    ofPrompt: "of the whole prompt",
    earlier: (share: string) => `earlier images ${share}`,
    temperature: (value: number) => `temperature ${value}`,
    topP: (value: number) => `top-p ${value}`,
    seed: (value: number) => `seed ${value}`,
    atMost: (tokens: string) => `at most ${tokens} tokens`,
  },
};
