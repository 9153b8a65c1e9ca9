import { describe, expect, it } from "vitest";
import { ModelError } from "../modelError";
import { type FileProgress, ModelFiles } from "./files";

const TEXT = '{"size": 7}';

type Answer = (() => Response) | undefined;

/** A directory that answers as told, and what was asked of it. */
function directory(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const progress: FileProgress[] = [];
  const fetch = async (input: URL | RequestInfo) => {
    asked.push(String(input));
    const name = String(input).split("/").at(-1) as string;
    return answers[name]?.() ?? new Response(null, { status: 404 });
  };
  const files = new ModelFiles("https://host/models/tiny", {
    fetch: fetch as typeof globalThis.fetch,
    onProgress: (report) => progress.push(report),
  });
  return { files, asked, progress };
}

function sized(text: string, length: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { headers: { "content-length": String(length), ...headers } });
}

async function failureOf(task: Promise<unknown>): Promise<readonly [string, string]> {
  const error = await task.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  return [(error as ModelError).code, (error as ModelError).message];
}

describe("ModelFiles", () => {
  it("reads files below its URL, counts their bytes and reports progress", async () => {
    const { files, asked, progress } = directory({ "a.json": () => sized(TEXT, TEXT.length) });
    expect(await files.json("a.json")).toEqual({ size: 7 });
    expect(asked).toEqual(["https://host/models/tiny/a.json"]);
    expect(files.readBytes).toBe(TEXT.length);
    expect(progress.at(-1)).toEqual({ file: "a.json", loadedBytes: 11, totalBytes: 11 });
  });

  it("takes the first of several names that exists", async () => {
    const { files } = directory({ b: () => new Response("B") });
    const { name, bytes } = await files.firstOf(["a", "b", "c"]);
    expect([name, new TextDecoder().decode(bytes)]).toEqual(["b", "B"]);
    expect(await failureOf(files.firstOf(["x", "y"]))).toEqual([
      "missingFile",
      "The model directory has no file x.",
    ]);
  });

  it("gives undefined for an optional file that is not there", async () => {
    const { files } = directory({});
    expect(await files.optional("a")).toBeUndefined();
    expect(await files.optionalText("a")).toBeUndefined();
    expect(await files.optionalJson("a")).toBeUndefined();
    expect((await failureOf(files.json("a")))[0]).toBe("missingFile");
  });

  it("says what is wrong with a file", async () => {
    const { files } = directory({
      text: () => new Response("{"),
      number: () => new Response("7"),
      short: () => sized("abc", 5),
      busy: () => new Response(null, { status: 503 }),
      broken: () => {
        throw new TypeError("Failed to fetch");
      },
    });
    expect(await failureOf(files.json("text"))).toEqual([
      "badModel",
      "The model's file text is not valid JSON.",
    ]);
    expect((await failureOf(files.json("number")))[1]).toContain("holds no JSON object");
    expect((await failureOf(files.optional("short")))[1]).toContain("truncated (3 of 5 bytes)");
    expect(await failureOf(files.optional("busy"))).toEqual([
      "network",
      "The model's file busy could not be read (HTTP 503).",
    ]);
    expect((await failureOf(files.optional("broken")))[0]).toBe("network");
  });

  it("does not take the length of a compressed transfer for that of the file", async () => {
    const { files } = directory({ a: () => sized("abc", 2, { "content-encoding": "br" }) });
    expect(await files.optionalText("a")).toBe("abc");
    const longer = directory({ a: () => sized("abc", 9, { "content-encoding": "br" }) });
    expect(await longer.files.optionalText("a")).toBe("abc");
  });

  it("passes an abort on as it is", async () => {
    const abort = new AbortController();
    const reason = new DOMException("Stopped.", "AbortError");
    const files = new ModelFiles("https://host/", {
      signal: abort.signal,
      fetch: async () => {
        abort.abort(reason);
        throw reason;
      },
    });
    await expect(files.optional("a")).rejects.toBe(reason);
  });
});
