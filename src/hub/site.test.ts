import { describe, expect, it } from "vitest";
import { fileAddress } from "./repository";
import { findRepository, named } from "./site";
import { keyOf } from "./storedModels";

const AT = "https://models.example/people/tiny";
const BASE = { "config.json": "{}", "tokenizer.json": "{ }" };
const WHOLE = { ...BASE, "model.safetensors": "weights" };

interface HostOptions {
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly isLost?: boolean;
}

/** A static host: `HEAD` and `GET` of the files below `AT`. */
function host(files: Readonly<Record<string, string>>, options: HostOptions = {}) {
  const requests: Request[] = [];
  const answer = async (url: string | URL | Request, init?: RequestInit) => {
    const request = new Request(url, init);
    requests.push(request);
    if (options.isLost) throw new TypeError("fetch failed");
    const content = files[request.url.slice(AT.length + 1)];
    if (content === undefined) return new Response("", { status: 404 });
    const headers = new Headers({ "content-length": `${content.length}`, ...options.headers });
    const { status = 200 } = options;
    return new Response(request.method === "HEAD" ? null : content, { status, headers });
  };
  return { endpoint: "https://hub.test", token: "hf_x", fetch: answer as typeof fetch, requests };
}

const find = (access: ReturnType<typeof host>, id = AT, revision = "main") =>
  findRepository({ id, revision }, access);

describe("a model at an address", () => {
  it("is named by its directory, and its files' sizes are asked for without the Hub's token", async () => {
    const access = host(WHOLE);
    const found = await find(access, `${AT}/config.json?download=1#x`);
    expect(found.id).toBe(AT);
    expect(found.files).toEqual([
      { name: "config.json", bytes: 2 },
      { name: "tokenizer.json", bytes: 3 },
      { name: "model.safetensors", bytes: 7 },
    ]);
    expect(access.requests.every(({ headers }) => !headers.has("authorization"))).toBe(true);
    expect(fileAddress(access, found, "a b.json")).toBe(`${AT}/a%20b.json`);
    expect(keyOf(found)).toMatch(/^https=3A=2F=2Fmodels\.example=2Fpeople=2Ftiny@[0-9a-f]{40}$/);
  });

  it("has a version that changes with its files, and a stopped download refuses another one", async () => {
    const dated = (date: string) => host(WHOLE, { headers: { "last-modified": date } });
    const { commit } = await find(dated("Monday"));
    expect((await find(dated("Monday"), AT, commit)).commit).toBe(commit);
    await expect(find(dated("Tuesday"), AT, commit)).rejects.toMatchObject({
      code: "damaged",
      message: `The files at ${AT} have changed. Look the model up again.`,
    });
  });

  it("may have its weights in several files, named by the index", async () => {
    const name = (i: number) => `model-0000${i}-of-00002.safetensors`;
    const weight_map = { a: name(1), b: name(2), c: name(1) };
    const index = { "model.safetensors.index.json": JSON.stringify({ weight_map }) };
    const found = await find(host({ ...BASE, ...index, [name(1)]: "1", [name(2)]: "22" }));
    expect(found.files.slice(-2)).toEqual([
      { name: name(1), bytes: 1 },
      { name: name(2), bytes: 2 },
    ]);
    await expect(find(host({ ...BASE, ...index, [name(1)]: "1" }))).rejects.toThrow(
      `The directory ${AT} has no file ${name(2)}.`,
    );
    const foreign = { "model.safetensors.index.json": '{"weight_map":{"a":"../secret"}}' };
    await expect(find(host({ ...BASE, ...foreign }))).rejects.toThrow(/names no weights/);
  });

  it.each([
    [host({}), AT, "incomplete", `The directory ${AT} has no file config.json.`],
    [host(BASE), AT, "incomplete", `The directory ${AT} has no file model.safetensors.`],
    [
      host(WHOLE, { headers: { "content-type": "text/html" } }),
      ...([AT, "incomplete", `The directory ${AT} has no file config.json.`] as const),
    ],
    [
      host(WHOLE, { status: 500 }),
      ...([AT, "network", "models.example answered with HTTP 500 for config.json."] as const),
    ],
    [
      host(WHOLE, { headers: { "content-length": "" } }),
      ...([AT, "network", "models.example does not tell the size of config.json."] as const),
    ],
    [
      host(WHOLE, { isLost: true }),
      AT,
      "network",
      "models.example cannot be reached, or does not let other sites read its files (CORS).",
    ],
    [
      host(WHOLE),
      "http://models.example/a",
      "notFound",
      "An address of a model begins with https://, unlike http://models.example/a.",
    ],
    [host(WHOLE), ...([`${AT}/${"a".repeat(200)}`, "notFound", /at most 160 characters/] as const)],
  ] as const)(
    "that cannot be used is refused in one sentence (%#)",
    async (access, id, code, message) => {
      const error: unknown = await find(access, id).catch((each: unknown) => each);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toMatch(message);
    },
  );
});

it("takes the address of a model's page on the Hub for the model", () => {
  const endpoint = "https://hub.test";
  const of = (id: string) => named({ id, revision: "main" }, endpoint);
  expect(of("https://hub.test/a/b")).toEqual({ id: "a/b", revision: "main" });
  expect(of("https://hub.test/a/b/tree/refs%2Fpr%2F1/")).toEqual({
    id: "a/b",
    revision: "refs/pr/1",
  });
  expect(of("https://hub.test/a/b/tree/100%25%").revision).toBe("100%25%");
  expect(of("a/b")).toEqual({ id: "a/b", revision: "main" });
  expect(of("https://hub.test/a").id).toBe("a/");
});
