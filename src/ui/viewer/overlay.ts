import type { PatchBox } from "../overlayGeometry";

/** What is drawn over an image, by original position of the visual row; values in [0, 1]. */
export type Paint =
  /** Share of the layers or heads that kept a row: what was dropped fades. */
  | { readonly kind: "kept"; readonly share: ReadonlyMap<number, number> }
  /** How high the policy ranked a row. */
  | { readonly kind: "heat"; readonly heat: ReadonlyMap<number, number> }
  /** Attention of a word by row, and the rows that it could not attend to any more. */
  | {
      readonly kind: "word";
      readonly light: ReadonlyMap<number, number>;
      readonly missed: ReadonlySet<number>;
    };

export interface Overlay {
  readonly paint: Paint | undefined;
  /** Rows that get attention whatever the word. */
  readonly sinks: ReadonlySet<number>;
  /** Parts of the image that were painted over before it was asked about. */
  readonly hidden: readonly PatchBox[];
}

export const NO_SINKS: ReadonlySet<number> = new Set();
export const NOTHING_HIDDEN: readonly PatchBox[] = [];
