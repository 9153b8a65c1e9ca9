/**
 * What the user should know about an answer, or what the self-test found: a code and its numbers. The
 * sentences are in `src/language`, and `noticeSentence` of the package says them in English.
 */
export type Notice =
  /** An image was scaled down further than its model asks for: the adapter or the context holds no more. */
  | {
      readonly code: "scaledDown";
      readonly width: number;
      readonly height: number;
      readonly ownWidth: number;
      readonly ownHeight: number;
    }
  /** All pixels of an image have nearly the same colour: there is nothing to read. */
  | { readonly code: "blankImage" }
  /** An image is unlike those that the model was trained on. */
  | { readonly code: "unfamiliarImage" }
  /** Only the first frame of an animated image was used. */
  | { readonly code: "firstFrame" }
  /** Of `asked` queries, those of the last `used` rows were recorded. */
  | { readonly code: "fewerQueries"; readonly asked: number; readonly used: number }
  /** The text after the image is shorter than the observation window. */
  | { readonly code: "shorterWindow"; readonly asked: number; readonly used: number }
  /** The observation window alone exceeds a layer's budget; its newest rows are kept. */
  | { readonly code: "windowOnly"; readonly rows: number }
  /** The encoder takes no smaller tiles: its rows were averaged instead. */
  | { readonly code: "rowsAveraged" }
  /** Sinks and recent rows together exceed a layer's budget. */
  | { readonly code: "fewerProtected"; readonly asked: number; readonly rows: number }
  /** `protect: ivc` takes at most half of the budget. */
  | { readonly code: "fewerAnchors"; readonly asked: number; readonly used: number }
  /** Rows of earlier turns were dropped to stay under a ceiling. */
  | { readonly code: "earlierDropped"; readonly megabytes: number }
  /** Rows of an image that does not fit were given up while its answer grew, to stay under a ceiling. */
  | { readonly code: "imageDropped"; readonly megabytes: number }
  /** Of the image rows of earlier turns, this share is left, as the question asked. */
  | { readonly code: "earlierReduced"; readonly percent: number }
  /** All image rows of earlier turns were dropped for a prefill in pieces. */
  | { readonly code: "earlierImagesDropped" }
  /** The prompt was prefilled in pieces, with compression between them. */
  | { readonly code: "pieces"; readonly rows: number }
  /** This many answers decoded together: the time of a token is that of a step of all of them. */
  | { readonly code: "decodedTogether"; readonly lanes: number }
  /** The vision encoder's activations, up to `most`, are too large for f16: it computes in f32. */
  | { readonly code: "encoderRange"; readonly most: number }
  /** The self-test replaced a variant of the kernels. */
  | { readonly code: "wrongKernels"; readonly kind: string; readonly variant: string };

export type NoticeCode = Notice["code"];

/** Notices in records that were written when they were sentences. */
export type RecordedNotice = Notice | string;
