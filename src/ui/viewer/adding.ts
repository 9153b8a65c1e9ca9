import { createStore } from "zustand/vanilla";
import type { Target } from "@/store/images/viewer";

export type AddingDialog = { readonly kind: "camera" | "address"; readonly target: Target };

/** The dialog that takes an image from somewhere else than a file. */
export const adding = createStore<{ readonly dialog: AddingDialog | undefined }>(() => ({
  dialog: undefined,
}));

/** The file input of the gallery: what *Choose another image* opens. */
export const GALLERY_INPUT = "image-file";

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}
