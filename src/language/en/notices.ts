import type { Notice, NoticeCode } from "@/protocol/notice";

export type NoticeSentences = {
  readonly [C in NoticeCode]: (notice: Extract<Notice, { readonly code: C }>) => string;
};

/** The names of the kernels that the self-test checks. */
const KERNELS: Readonly<Record<string, string>> = {
  reduction: "reduction kernels",
  matmul: "matrix kernels",
  flash: "attention kernels",
};

/** The sentences of the engine's notices. */
export const noticesEn: NoticeSentences = {
  scaledDown: ({ width, height, ownWidth, ownHeight }) =>
    `The model sees the image in ${width} × ${height} pixels instead of ${ownWidth} × ${ownHeight}: ` +
    "more do not fit here.",
  blankImage: () => "The image is blank: there is nothing in it that the model could read.",
  unfamiliarImage: () =>
    "The image is unlike the pages that this model was trained on. This answer may be wrong.",
  firstFrame: () => "The image is animated: its first frame was used.",
  fewerQueries: ({ asked, used }) =>
    `Only the last ${used} of ${asked} rows were asked what they attend to.`,
  shorterWindow: ({ asked, used }) =>
    `The window of ${asked} queries is longer than the text: the last ${used} are used.`,
  rowsAveraged: () =>
    "The vision encoder takes no smaller images: neighbouring image rows were averaged instead.",
  windowOnly: ({ rows }) => `The window alone has more than ${rows} rows: its newest are kept.`,
  fewerProtected: ({ asked, rows }) =>
    `${asked} protected rows do not fit ${rows} per layer: sinks come first, then the newest.`,
  fewerAnchors: ({ asked, used }) =>
    `${asked} rows would be protected by position; half of the budget allows ${used}.`,
  earlierDropped: ({ megabytes }) => `Earlier rows were dropped to stay within ${megabytes} MB.`,
  imageDropped: ({ megabytes }) =>
    `Rows of the image were dropped as the answer grew, to stay within ${megabytes} MB.`,
  earlierReduced: ({ percent }) => `Of the rows of earlier images, ${percent} % are left.`,
  earlierImagesDropped: () => "The rows of earlier images were dropped to make room.",
  pieces: ({ rows }) =>
    `The prompt does not fit uncompressed: it was read in pieces of ${rows} rows, with ` +
    "compression between them.",
  decodedTogether: ({ lanes }) =>
    `${lanes} answers were generated together: the time of a token is that of a step of all of them.`,
  encoderRange: ({ most }) =>
    `The vision encoder's numbers reach ${most}, too near to the limit of 16 bits: it computes in 32 bits.`,
  wrongKernels: ({ kind, variant }) =>
    `The ${variant} ${KERNELS[kind] ?? kind} gave wrong results on this adapter and are not used.`,
};
