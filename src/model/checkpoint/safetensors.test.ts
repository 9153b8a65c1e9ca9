import { describe, expect, it } from "vitest";
import { memorySource, safetensors } from "../../../test/memorySource";
import { readTensorMap } from "./safetensors";

const FILE = "model.safetensors";
const tensor = (shape: number[], begin: number, end: number, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const read = (bytes: Uint8Array<ArrayBuffer>) => readTensorMap(memorySource({ [FILE]: bytes }));

describe("readTensorMap", () => {
  it("finds tensors and their places", async () => {
    const header = { __metadata__: {}, b: tensor([2, 2], 8, 24), a: tensor([4], 0, 8, "F16") };
    const map = await read(safetensors(header, 24));
    const start = 8 + JSON.stringify(header).length;
    expect([...map.keys()]).toEqual(["a", "b"]);
    expect(map.get("b")).toMatchObject({ dtype: "F32", start: start + 8, end: start + 24 });
  });

  it("takes tensors without bytes, and types that nobody needs", async () => {
    const extra = { empty: tensor([0], 8, 8), scale: tensor([3], 16, 19, "F8_E8M0") };
    const map = await read(
      safetensors({ a: tensor([2], 0, 8), b: tensor([2], 8, 16), ...extra }, 19),
    );
    expect([...map.keys()]).toEqual(["a", "empty", "b", "scale"]);
  });

  it("reads the files that an index names", async () => {
    const weight_map = { a: "one.safetensors", b: "two.safetensors", c: "two.safetensors" };
    const source = memorySource({
      "model.safetensors.index.json": new TextEncoder().encode(JSON.stringify({ weight_map })),
      "one.safetensors": safetensors({ a: tensor([1], 0, 4) }, 4),
      "two.safetensors": safetensors({ b: tensor([1], 0, 4), c: tensor([1], 4, 8) }, 8),
    });
    const map = await readTensorMap(source);
    expect([...map.values()].map(({ name, file }) => `${name} ${file}`)).toEqual([
      "a one.safetensors",
      "b two.safetensors",
      "c two.safetensors",
    ]);
  });

  it.each([
    ["claims a header of 999", safetensors({}, 0, 999)],
    ["claims a header of 123456789012", safetensors({}, 0, 123456789012)],
    ["has only 3 bytes", new Uint8Array(3)],
    ["has a header that is not JSON", safetensors('{"a":', 0)],
    ["has a header that is not a JSON object", safetensors("[1]", 0)],
    ["a header that is not JSON", safetensors("<html>…", 40)],
    ["ends inside of a: ", safetensors({ a: tensor([4], 0, 16) }, 15)],
    ["lets b overlap", safetensors({ a: tensor([2], 0, 8), b: tensor([2], 4, 12) }, 12)],
    ["gives a 8 bytes where its shape needs 12", safetensors({ a: tensor([3], 0, 8) }, 8)],
    ["describes a in a way", safetensors({ a: tensor([1], 4, 0, "F4") }, 4)],
    [
      "is a Git LFS pointer",
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n"),
    ],
    ["is a web page", new TextEncoder().encode("<!DOCTYPE html><title>Not found</title>")],
    ["describes a in a way", safetensors({ a: tensor([-1], 0, 4) }, 4)],
    ["describes a in a way", safetensors({ a: null }, 4)],
    ["describes a in a way", safetensors({ a: { dtype: "F32", shape: [1] } }, 4)],
  ])("says that a broken file %s", async (what, bytes) => {
    await expect(read(bytes)).rejects.toThrow(`The model's file ${FILE}`);
    await expect(read(bytes)).rejects.toThrow(what);
    await expect(read(bytes)).rejects.toMatchObject({ code: "badModel" });
  });

  it("names the file that is missing", async () => {
    const none = readTensorMap(memorySource({}));
    await expect(none).rejects.toMatchObject({
      code: "missingFile",
      message: /model\.safetensors/,
    });
    const index = JSON.stringify({ weight_map: { a: "gone.safetensors" } });
    const files = { "model.safetensors.index.json": new TextEncoder().encode(index) };
    await expect(readTensorMap(memorySource(files))).rejects.toThrow("gone.safetensors");
  });

  it("reads no file outside of the directory", async () => {
    const index = JSON.stringify({ weight_map: { a: "../../secret" } });
    const files = { "model.safetensors.index.json": new TextEncoder().encode(index) };
    await expect(readTensorMap(memorySource(files))).rejects.toThrow("secret");
  });
});
