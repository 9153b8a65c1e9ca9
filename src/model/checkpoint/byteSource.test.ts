import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpSource } from "./byteSource";

const BYTES = Uint8Array.from({ length: 1000 }, (_, at) => at % 251);
let base: string;
let failures = 0;

/** `/ranges/` honours ranges, `/whole/` ignores them, `/flaky/` breaks the connection twice. */
const server = http.createServer((request, response) => {
  const [, kind, file] = (request.url ?? "").split("/");
  if (file !== "weights") return response.writeHead(404).end();
  const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "");
  if (kind === "flaky" && failures-- > 0) return request.socket.destroy();
  if (kind === "whole" || !range) return response.writeHead(200).end(BYTES);
  const [start, last] = [Number(range[1]), Math.min(Number(range[2]), BYTES.length - 1)];
  if (start >= BYTES.length) return response.writeHead(416).end();
  response.writeHead(206, { "content-range": `bytes ${start}-${last}/${BYTES.length}` });
  return response.end(BYTES.subarray(start, last + 1));
});

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => new Promise((done) => server.close(done)));

describe.each(["ranges", "whole"])("httpSource where the server knows %s", (kind) => {
  it("reads parts", async () => {
    const source = httpSource(`${base}${kind}/`);
    expect(await source.size("weights")).toBe(1000);
    expect([...(await source.read("weights", 10, 13))]).toEqual([10, 11, 12]);
    expect(await source.read("weights", 990, 1000)).toEqual(BYTES.subarray(990));
  });

  it("reads without having asked for the size", async () => {
    let told = 0;
    const options = { onBytes: (bytes: number) => (told += bytes) };
    const bytes = await httpSource(`${base}${kind}/`).read("weights", 0, 500, options);
    expect(bytes).toEqual(BYTES.subarray(0, 500));
    expect(told).toBeGreaterThanOrEqual(500);
  });

  it("tells a missing file from a short one", async () => {
    const source = httpSource(`${base}${kind}/`);
    expect(await source.size("nothing")).toBeUndefined();
    await expect(source.read("nothing", 0, 1)).rejects.toMatchObject({ code: "missingFile" });
    await expect(source.read("weights", 900, 1100)).rejects.toThrow("weights is truncated");
    await expect(source.read("weights", 2000, 2100)).rejects.toThrow("weights is truncated");
  });
});

describe("httpSource on a bad line", () => {
  it("tries again", async () => {
    failures = 2;
    const bytes = await httpSource(`${base}flaky/`).read("weights", 5, 8);
    expect([...bytes]).toEqual([5, 6, 7]);
  });

  it("gives up with a sentence", async () => {
    failures = 9;
    const read = httpSource(`${base}flaky/`).read("weights", 5, 8);
    await expect(read).rejects.toMatchObject({ code: "network", message: /weights/ });
  });

  it("stops when told to", async () => {
    failures = 9;
    const controller = new AbortController();
    const read = httpSource(`${base}flaky/`).read("weights", 5, 8, { signal: controller.signal });
    controller.abort();
    await expect(read).rejects.toMatchObject({ name: "AbortError" });
  });
});
