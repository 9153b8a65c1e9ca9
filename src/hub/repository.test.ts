import { describe, expect, it } from "vitest";
import { fetchRepository, fetchText, fileAddress } from "./repository";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const ANSWER = {
  sha: COMMIT,
  cardData: { license: "apache-2.0" },
  siblings: [
    { rfilename: "README.md", size: 10 },
    { rfilename: "config.json", size: 20 },
    { rfilename: "tokenizer.json", size: 30 },
    { rfilename: "model-00001-of-00002.safetensors", size: 99, lfs: { size: 99, sha256: "ab" } },
    { rfilename: "model-00002-of-00002.safetensors", size: 98, lfs: { size: 98, sha256: "cd" } },
    { rfilename: "consolidated.safetensors", size: 97 },
    { rfilename: "onnx/model.onnx", size: 96 },
    { rfilename: "pytorch_model.bin", size: 95 },
    null,
  ],
};

/** A Hub that gives one answer and records what it was asked. */
function hub(body: unknown, init: ResponseInit = {}) {
  const requests: Request[] = [];
  const answer = async (url: string | URL | Request, options?: RequestInit) => {
    requests.push(new Request(url, options));
    return new Response(typeof body === "string" ? body : JSON.stringify(body), init);
  };
  return { endpoint: "https://hub.test", fetch: answer as typeof fetch, requests };
}

const address = { id: "some-body/a.model", revision: "refs/pr/1" };

describe("a repository of the Hub", () => {
  it("names its commit, licence, and the files that the engine reads", async () => {
    const access = hub(ANSWER);
    const found = await fetchRepository(address, { ...access, token: "hf_x" });
    expect(found).toEqual({
      ...address,
      commit: COMMIT,
      license: "apache-2.0",
      files: [
        { name: "config.json", bytes: 20 },
        { name: "tokenizer.json", bytes: 30 },
        { name: "model-00001-of-00002.safetensors", bytes: 99, sha256: "ab" },
        { name: "model-00002-of-00002.safetensors", bytes: 98, sha256: "cd" },
      ],
    });
    const [request] = access.requests;
    expect(request?.url).toBe(
      "https://hub.test/api/models/some-body/a.model/revision/refs%2Fpr%2F1?blobs=true",
    );
    expect(request?.headers.get("authorization")).toBe("Bearer hf_x");
    expect(fileAddress(access, found, "config.json")).toBe(
      `https://hub.test/some-body/a.model/resolve/${COMMIT}/config.json`,
    );
  });

  it.each([
    [401, { "x-error-code": "RepoNotFound" }, "notFound", /has no model .* enter a token/],
    [404, {}, "notFound", /has no model some-body\/a\.model/],
    [404, { "x-error-code": "RevisionNotFound" }, "notFound", /no revision “refs\/pr\/1”/],
    [403, {}, "gated", /Accept the terms of some-body\/a\.model on its page, and enter a token/],
    [401, { "x-error-code": "GatedRepo" }, "gated", /Accept the terms/],
    [500, {}, "network", /HTTP 500/],
  ])("answers %i %o with one sentence", async (status, headers, code, sentence) => {
    const error = await fetchRepository(address, hub("", { status, headers })).catch((e) => e);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(sentence);
  });

  it.each([
    ["no JSON", "<html>", "network"],
    ["no commit", { ...ANSWER, sha: "main" }, "network"],
    ["no weights", { ...ANSWER, siblings: ANSWER.siblings.slice(0, 3) }, "incomplete"],
    ["no configuration", { ...ANSWER, siblings: ANSWER.siblings.slice(2) }, "incomplete"],
    ["no list of files", { ...ANSWER, siblings: "none" }, "incomplete"],
  ])("refuses an answer with %s", async (_, body, code) => {
    await expect(fetchRepository(address, hub(body))).rejects.toMatchObject({ code });
  });

  it("refuses a name that is no id, without a request", async () => {
    const access = hub(ANSWER);
    for (const id of ["gpt2", "https://huggingface.co/a/b", "a/b/c", "a/../b", "../a", "a/.."]) {
      await expect(fetchRepository({ id, revision: "main" }, access)).rejects.toThrow(
        /owner\/name/,
      );
    }
    expect(access.requests).toEqual([]);
  });

  it.each([
    ["breaks", (body: ReadableStreamDefaultController) => body.error(new TypeError("gone"))],
    ["goes silent", () => undefined],
  ])("says so where the connection %s in the middle of an answer or a file", async (_, end) => {
    const start = (body: ReadableStreamDefaultController) => {
      body.enqueue(new TextEncoder().encode('{"sha": "'));
      end(body);
    };
    const answer = async () => new Response(new ReadableStream({ start }));
    const access = { endpoint: "https://hub.test", fetch: answer, silenceMs: 20 };
    await expect(fetchRepository(address, access)).rejects.toMatchObject({
      code: "network",
      message: "The connection broke while the Hub's answer about some-body/a.model was read.",
    });
    const repository = { ...address, commit: COMMIT, files: [] };
    await expect(fetchText(repository, "config.json", access)).rejects.toMatchObject({
      code: "network",
      message: "The connection broke while config.json was read.",
    });
  });

  it("tells an unreachable Hub from a stop", async () => {
    const failing = { endpoint: "https://hub.test", fetch: () => Promise.reject(new TypeError()) };
    await expect(fetchRepository(address, failing)).rejects.toThrow("hub.test cannot be reached.");
    const signal = AbortSignal.abort(new DOMException("stopped", "AbortError"));
    await expect(fetchRepository(address, { ...failing, signal })).rejects.toThrow("stopped");
  });
});
