import type { Change } from "@/text/agreement";
import { counted, plural } from "./plural";

/** Conversation, composer and lanes. */
export const chatEn = {
  name: "Chat",
  conversation: "Conversation",
  welcome: {
    about: (title: string) => `Ask about ${title}.`,
    aboutImage: "Ask about an image.",
    aboutImages: (count: number) => `Ask one question about these ${count} images.`,
    how:
      "The image becomes hundreds of visual tokens in the KV cache of every layer. The policy " +
      "decides which of them are kept. Ask, then keep fewer and ask again.",
  },
  readsEnglish: "The embedded model reads English only. Ask in English.",
  otherModel: (earlier: string, loaded: string) =>
    `${earlier} gave earlier answers here. ${loaded} reads them as text; nothing is lost.`,
  loadAgain: (model: string) => `Load ${model} again`,
  left: (title: string) => `New conversation. “${title}” stays under History.`,
  recovering:
    "The graphics device was lost. The page loads the model again; the conversation stays, and " +
    "questions that wait are asked afterwards.",
  composer: {
    question: "Question",
    askImage: "Ask about this image",
    askImages: (count: number) => `Ask about these ${count} images`,
    tooLong: (characters: string, most: string) =>
      `This question has ${characters} characters; ${most} are the limit. Shorten it to ask.`,
    addImage: "+ Image",
    compare: "Compare",
    compareHelp: "Ask one question under several policies (C)",
    stop: "Stop",
    ask: "Ask",
    settings: "Cache settings: ",
    next: (settings: string) => `next: ${settings}`,
    contextHelp: "Tokens of this conversation so far",
    imageHelp: (tokens: string, bytes: string) =>
      `The images before the next question add ${tokens} tokens: ${bytes} of a full cache`,
    context: "context ",
  },
  images: {
    waiting: (count: number) => `${counted(count, "image")} before this question`,
    asked: "Images asked about",
    show: (title: string) => `Show ${title}`,
    remove: "Remove",
    removeOf: (title: string) => `Remove ${title}`,
  },
  question: {
    edit: "Edit",
    editWhat: " question",
    edited: "Edited question",
    replaces: "Replaces this question and everything after it. History keeps both.",
    cancel: "Cancel",
    ask: "Ask",
    replaced: (title: string) =>
      `The earlier question and its answers stay under History as “${title}”.`,
  },
  copy: {
    copy: "Copy",
    copied: "Copied",
    failed: "Failed",
    answer: " answer",
    question: " question",
  },
  actions: {
    showPatches: "Show patches",
    again: "Ask again",
    againWith: "Ask again with…",
    compare: "Compare",
  },
  answer: {
    name: "Answer",
    nameOf: (settings: string) => `Answer of ${settings}`,
    empty:
      "The model gave no text: it ended the answer at once. It does so if it cannot read the image " +
      "or does not understand the question.",
    laneEmpty: "No text.",
    laneStopped: "Stopped before its first token.",
    words: "Word by word: arrow keys show the patches that each word attends to",
    differs: "differs: ",
  },
  stages: {
    waitsForModel: (progress: string) => `waits for the model · ${progress}`,
    preparing: "preparing the GPU",
    testing: "testing the GPU",
    waitsInVain: "waits for the model, which could not be loaded",
    next: "next",
    starting: "starting",
    answering: (tokens: number) => `answering · ${counted(tokens, "token")}`,
    vision: "encoding the image",
    reading: (done: number, total: number) => `reading ${done}/${total}`,
    read: (total: number) => `read ${total}`,
    selecting: "selecting rows",
    freeing: "freeing memory",
  },
  verdict: {
    same: (isHidden: boolean) => `Same answer as ${reference(isHidden)}.`,
    differs: (isHidden: boolean) => `Differs from ${reference(isHidden)}:`,
    changes: (changes: readonly Change[]) => `${changes.map(change).join("; ")}.`,
    more: (count: number) => `And ${counted(count, "other change")}.`,
    pending: "Comparing with the full cache …",
    missing: {
      cap: "Not compared: the full cache does not fit under this cap.",
      memory: "Not compared with the full cache: the device has not enough memory for both.",
      stopped: "Not compared with the full cache: it was stopped.",
      off: "Not compared with the full cache.",
    },
    unsure: (probability: string, threshold: string) =>
      `This answer may be wrong: its words have a probability of ${probability}, and most right answers have ${threshold} or more.`,
    askToCompare: "Ask again to compare",
    askToCompareHelp: "The whole image was not prefilled for this question under these settings.",
  },
  facts: {
    bytesHelp: "KV cache at the end of the answer, and the full cache's size",
    memory: (bytes: string) => `${bytes} of memory`,
    memoryOf: (bytes: string, full: string) => `${bytes} of memory instead of ${full}`,
    parts: (share: string, rows: string) =>
      `${share} of the image + ${rows} text rows, in blocks of 64`,
    details: "Details",
    blocks:
      "The KV cache holds one row per token, layer and head. Memory is given in blocks of 64 rows, so " +
      "a few rows more or less may not change it.",
    peak: (bytes: string) => `Peak while answering ${bytes}`,
    reference: {
      fork: (bytes: string, peak: string) =>
        `The full cache answered from the same prefill with ${bytes}; both together took ${peak} at most`,
      prefill: (bytes: string, peak: string) =>
        `The full cache read the whole conversation again, earlier answers as they stand here, with ` +
        `${bytes}; both together took ${peak} at most`,
    },
    perTokenHelp: "Median over the answer's tokens",
    perToken: (time: string) => `${time}/token`,
    firstToken: (time: string) => `first token ${time}`,
    cachedHelp: "Summed over the layers, when the answer ended",
    rowsCached: (rows: string) => `${rows} rows cached in all layers`,
    readHelp: "Summed over the layers, mean over the answer's tokens",
    read: (rows: string) => `${rows} read per token`,
    appended: (rows: string) => `${rows} rows appended in each layer`,
    prefilled: (rows: string) => `${rows} rows prefilled in each layer`,
    endings: {
      stop: "",
      cancelled: "stopped",
      length: "ended at the length limit",
      context: "ended because the context is full",
      memory: "ended because the memory is full",
    },
    without: (rows: readonly number[]) =>
      `without ${plural(rows.length, "row")} ${rows.join(", ")}`,
  },
  lanes: {
    legend: "Lanes to compare",
    add: "+ Lane",
    somePinned: "Pinned lanes stay for the next question; the others return to the defaults.",
    allPinned: "These lanes stay for the next question.",
    policyOf: (lane: number) => `Policy of lane ${lane}`,
    keepOf: (lane: number) => `Keep percent of lane ${lane}`,
    optionsOf: (lane: number) => `Options of lane ${lane}`,
    options: "Options",
    ownOptions: "Own options",
    pin: "Pin",
    pinOf: (lane: number) => `Pin lane ${lane}`,
    remove: "Remove",
    removeOf: (lane: number) => `Remove lane ${lane}`,
    commonOptions: "Back to the options of the Cache zone",
    optionsSource: "As in the Cache zone; a change here is for this lane alone.",
    continues: (settings: string) => `The conversation continues from ${settings}.`,
    reference: "reference",
    agree: (common: number, words: number) => {
      if (common === words) return "same answer";
      return words === 1 ? "differs" : `${common} of ${words} words agree`;
    },
    bytesHelp: (full: string) => `KV cache at the end of the answer, of ${full} in full`,
  },
};

function change({ answer, reference }: Change): string {
  if (answer === "") return `“${reference}” is missing`;
  if (reference === "") return `“${answer}” was added`;
  return `“${answer}” instead of “${reference}”`;
}

function reference(isHidden: boolean): string {
  return isHidden ? "the whole image’s" : "the full cache";
}
