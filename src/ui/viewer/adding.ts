import { createStore } from "zustand/vanilla";
import type { Given } from "@/store/images/imageSources";
import type { Viewer } from "@/store/images/viewer";
import type { Target } from "@/store/images/viewerState";
import type { ReadonlyStore } from "@/store/readonlyStore";

type AddingDialog =
  | { readonly kind: "camera" | "address"; readonly target: Target }
  | { readonly kind: "video"; readonly target: Target; readonly given: Given };

interface Adding {
  readonly dialog: AddingDialog | undefined;
  /** Videos whose dialogs follow. */
  readonly videos: readonly Given[];
}

const { setState, getState, ...store } = createStore<Adding>(() => ({
  dialog: undefined,
  videos: [],
}));

/** The dialog that takes an image from somewhere else than a file. */
export const adding: ReadonlyStore<Adding> = { ...store, getState };

export function openDialog(dialog: AddingDialog): void {
  setState({ dialog, videos: [] });
}

/** @param hasAdded what the next video is added to; otherwise it takes the place of this one */
export function closeDialog(hasAdded = false): void {
  const { dialog, videos } = getState();
  const [given, ...rest] = videos;
  const target = hasAdded || !dialog ? "add" : dialog.target;
  setState({ dialog: given && { kind: "video", target, given }, videos: rest });
}

/** Adds images; for each video, a dialog asks for the number of frames. */
export function chooseFiles(viewer: Viewer, given: readonly Given[], target: Target): void {
  const isVideo = ({ blob }: Given) => blob.type.startsWith("video/");
  const images = given.filter((each) => !isVideo(each));
  const [video, ...videos] = given.filter(isVideo);
  if (images.length > 0) void viewer.choose(images, target);
  if (!video) return;
  setState({
    dialog: { kind: "video", target: images.length > 0 ? "add" : target, given: video },
    videos,
  });
}

/** The file input of the gallery: what *Choose another image* opens. */
export const GALLERY_INPUT = "image-file";

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}
