import { createStore } from "zustand/vanilla";
import type { Target } from "@/store/images/viewer";
import type { ReadonlyStore } from "@/store/readonlyStore";

export type AddingDialog = { readonly kind: "camera" | "address"; readonly target: Target };

const { setState, ...store } = createStore<{ readonly dialog: AddingDialog | undefined }>(() => ({
  dialog: undefined,
}));

/** The dialog that takes an image from somewhere else than a file. */
export const adding: ReadonlyStore<{ readonly dialog: AddingDialog | undefined }> = store;

export function openDialog(dialog: AddingDialog): void {
  setState({ dialog });
}

export function closeDialog(): void {
  setState({ dialog: undefined });
}

/** The file input of the gallery: what *Choose another image* opens. */
export const GALLERY_INPUT = "image-file";

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}
