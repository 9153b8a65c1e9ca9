import { describe, expect, it } from "vitest";
import { httpSource } from "./byteSource";
import { ModelFiles } from "./files";
import { filesFetch } from "./filesFetch";

const BASE = "https://hub.test/owner/name%20%231/";
const fetchFile = filesFetch(
  BASE,
  new Map([
    ["config.json", new Blob(['{"hidden_size": 64}'])],
    ["onnx/vision encoder#1.onnx", new Blob(["0123456789"])],
  ]),
);

describe("a model directory of files", () => {
  it("gives whole files, also those in folders and with any name", async () => {
    const files = new ModelFiles(BASE, { fetch: fetchFile });
    expect(await files.json("config.json")).toEqual({ hidden_size: 64 });
    expect(await files.optionalText("onnx/vision encoder#1.onnx")).toBe("0123456789");
    expect(await files.optional("tokenizer.json")).toBeUndefined();
    expect(files.readBytes).toBe(29);
  });

  it("gives sizes and ranges without reading the rest", async () => {
    const source = httpSource(BASE, fetchFile);
    const name = "onnx/vision encoder#1.onnx";
    expect(await source.size(name)).toBe(10);
    expect(await source.size("model.safetensors")).toBeUndefined();
    expect(new TextDecoder().decode(await source.read(name, 3, 6))).toBe("345");
    await expect(source.read(name, 8, 12)).rejects.toMatchObject({ code: "badModel" });
    await expect(source.read(name, 12, 14)).rejects.toMatchObject({ code: "badModel" });
    await expect(source.read("model.safetensors", 0, 8)).rejects.toMatchObject({
      code: "missingFile",
    });
  });

  it("stops with its signal", async () => {
    const stopped = AbortSignal.abort(new DOMException("stopped", "AbortError"));
    await expect(
      httpSource(BASE, fetchFile).size("config.json", { signal: stopped }),
    ).rejects.toThrow("stopped");
  });
});
