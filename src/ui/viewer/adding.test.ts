import { expect, it, vi } from "vitest";
import type { Viewer } from "@/store/images/viewer";
import { adding, chooseFiles, closeDialog } from "./adding";

const given = (title: string, type: string) => ({ title, blob: new Blob([], { type }) });
const shown = () => {
  const { dialog } = adding.getState();
  return dialog?.kind === "video" ? [dialog.given.title, dialog.target] : undefined;
};

it("asks about one video after the other, and adds what follows to what was added", () => {
  const choose = vi.fn(() => Promise.resolve(true));
  const viewer = { choose } as unknown as Viewer;
  const videos = [given("a", "video/webm"), given("b", "video/mp4"), given("c", "video/mp4")];
  chooseFiles(viewer, videos, "new");
  expect(choose).not.toHaveBeenCalled();
  expect(shown()).toEqual(["a", "new"]);
  closeDialog();
  expect(shown()).toEqual(["b", "new"]);
  closeDialog(true);
  expect(shown()).toEqual(["c", "add"]);
  closeDialog(true);
  expect(adding.getState().dialog).toBeUndefined();

  // Images are there at once, so a video among them does not replace them.
  const image = given("d", "image/png");
  chooseFiles(viewer, [videos[0]!, image], "new");
  expect(choose).toHaveBeenCalledWith([image], "new");
  expect(shown()).toEqual(["a", "add"]);
});
