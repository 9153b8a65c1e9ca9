import { createStore } from "zustand/vanilla";
import type { Given } from "@/store/images/imageSources";
import type { Target, Viewer } from "@/store/images/viewer";
import type { ReadonlyStore } from "@/store/readonlyStore";

export type AddingDialog =
  | { readonly kind: "camera" | "address"; readonly target: Target }
  | { readonly kind: "video"; readonly target: Target; readonly given: Given };

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

/** Adds images; for a video, a dialog asks for the number of frames. */
export function chooseFiles(viewer: Viewer, given: readonly Given[], target: Target): void {
  const video = given.find(({ blob }) => blob.type.startsWith("video/"));
  const images = given.filter((each) => each !== video);
  if (video) openDialog({ kind: "video", target, given: video });
  if (images.length > 0) void viewer.choose(images, target);
}

/** The file input of the gallery: what *Choose another image* opens. */
export const GALLERY_INPUT = "image-file";

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}
