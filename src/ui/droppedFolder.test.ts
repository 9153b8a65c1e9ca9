import { expect, it } from "vitest";
import { droppedFolder } from "./droppedFolder";

/** A drop of one entry, as browsers give it: folders in parts of at most two entries. */
function dropOf(entry: object): DataTransfer {
  return { items: [{ webkitGetAsEntry: () => entry }] } as unknown as DataTransfer;
}

const file = (name: string) => ({
  ...{ name, isDirectory: false },
  file: (done: (file: File) => void) => done(new File([name], name)),
});

const folder = (name: string, ...entries: readonly object[]) => ({
  ...{ name, isDirectory: true },
  createReader() {
    let at = 0;
    return {
      readEntries(done: (some: readonly object[]) => void) {
        at += 2;
        done(entries.slice(at - 2, at));
      },
    };
  },
});

it("takes a dropped folder's files by their paths, whatever parts the browser lists them in", async () => {
  const dropped = droppedFolder(
    dropOf(
      folder(
        "my-model",
        ...[file("model.safetensors"), folder("onnx", file("a.onnx")), file(".DS_Store")],
        ...[file("config.json"), folder(".git", file("HEAD"))],
      ),
    ),
  );
  expect(dropped?.name).toBe("my-model");
  const files = await dropped!.files();
  expect([...files.keys()].toSorted()).toEqual(["config.json", "model.safetensors", "onnx/a.onnx"]);
  expect(await files.get("onnx/a.onnx")?.text()).toBe("a.onnx");
});

it("refuses a folder without a config.json before it looks deeper", async () => {
  const unread = { name: "deep", isDirectory: true, createReader: () => expect.unreachable() };
  const dropped = droppedFolder(dropOf(folder("photos", unread, file("a.png"))));
  await expect(dropped!.files()).rejects.toThrow("“photos” is no model directory");
});

it("leaves dropped files to the chat", () => {
  expect(droppedFolder(dropOf(file("a.png")))).toBeUndefined();
  expect(droppedFolder({ items: [{ webkitGetAsEntry: () => null }] } as never)).toBeUndefined();
});
