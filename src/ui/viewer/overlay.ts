import type { PatchBox } from "../overlayGeometry";

/** The overlay of an image, by original position of the visual row; values in [0, 1]. */
export type Paint =
  /** Share of the layers or heads that kept a row; dropped rows are faded. */
  | { readonly kind: "kept"; readonly share: ReadonlyMap<number, number> }
  /** The policy's heat of a row. */
  | { readonly kind: "heat"; readonly heat: ReadonlyMap<number, number> }
  /** Attention of a word by row, and the rows that it could not attend to any more. */
  | {
      readonly kind: "word";
      readonly light: ReadonlyMap<number, number>;
      readonly missed: ReadonlySet<number>;
    };

export interface Overlay {
  readonly paint: Paint | undefined;
  /** Attention sinks. */
  readonly sinks: ReadonlySet<number>;
  /** Parts of the image that were painted over before it was asked about. */
  readonly hidden: readonly PatchBox[];
}

export const NO_SINKS: ReadonlySet<number> = new Set();
export const NOTHING_HIDDEN: readonly PatchBox[] = [];
