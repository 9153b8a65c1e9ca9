import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { withHubModel } from "./hubModel";

const ID = "some-body/tiny";
/** A directory of a static host without ranges. */
const SITE = "/some/site/";
const COMMIT = "c".repeat(40);
const FILES: Readonly<Record<string, Buffer>> = {
  "config.json": Buffer.from("{}"),
  "tokenizer.json": Buffer.from("{}"),
  "model.safetensors": Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251)),
};

let server: http.Server;
let endpoint = "";
let cache = "";
let requests: string[] = [];
/** Bytes after which the storage host breaks the connection. */
let cutAt: number | undefined;

/** A Hub over HTTP that redirects large files to another path, as the real one does to another host. */
beforeAll(async () => {
  server = http.createServer((request, response) => {
    const url = request.url ?? "";
    requests.push(url);
    if (url.startsWith("/api/")) {
      if (!url.startsWith(`/api/models/${ID}/`)) return void response.writeHead(404).end();
      const siblings = Object.entries(FILES).map(([rfilename, bytes]) => {
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        return { rfilename, size: bytes.length, lfs: { size: bytes.length, sha256 } };
      });
      return void response.end(JSON.stringify({ sha: COMMIT, siblings }));
    }
    if (url.startsWith(SITE)) {
      const bytes = FILES[url.slice(SITE.length)];
      if (!bytes) return void response.writeHead(404).end();
      response.setHeader("content-length", bytes.length);
      return void response.end(request.method === "HEAD" ? undefined : bytes);
    }
    if (url.startsWith(`/${ID}/resolve/${COMMIT}/`)) {
      return void response.writeHead(302, { location: `/storage/${url.split("/").at(-1)}` }).end();
    }
    const bytes = FILES[url.split("/").at(-1) ?? ""] ?? Buffer.alloc(0);
    const [start = 0, last = 0] = (request.headers.range?.match(/\d+/g) ?? []).map(Number);
    response.writeHead(206, { "content-range": `bytes ${start}-${last}/${bytes.length}` });
    if (cutAt === undefined || bytes.length < cutAt)
      return void response.end(bytes.subarray(start, last + 1));
    response.write(bytes.subarray(start, cutAt), () => response.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  cache = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-hub-"));
  requests = [];
  cutAt = undefined;
  return () => fs.rmSync(cache, { recursive: true });
});

const options = () => ({ endpoint, cache, onProgress: () => {} });

it("downloads a model of the Hub through its redirects, once", async () => {
  const argv = ["--prompt", "a", "--model", ID];
  const [, , , directory = ""] = await withHubModel(argv, options());
  expect(path.basename(directory)).toBe(`some-body--tiny@${COMMIT}`);
  for (const [name, bytes] of Object.entries(FILES)) {
    expect(fs.readFileSync(path.join(directory, name)).equals(bytes)).toBe(true);
  }
  const count = requests.length;
  expect(await withHubModel([`--model=${ID}@main`], options())).toEqual([`--model=${directory}`]);
  expect(requests.length, "only the commit is asked again").toBe(count + 1);
});

it("downloads a model from a directory of any host", async () => {
  const address = endpoint.replace("127.0.0.1", "localhost") + SITE;
  const [, directory = ""] = await withHubModel(["--model", address], options());
  expect(fs.readdirSync(directory).toSorted()).toEqual(Object.keys(FILES).toSorted());
  for (const [name, bytes] of Object.entries(FILES)) {
    expect(fs.readFileSync(path.join(directory, name)).equals(bytes)).toBe(true);
  }
  await expect(withHubModel([`--model=${address}gone/`], options())).rejects.toThrow(
    /^The directory http:\/\/localhost:\d+\/some\/site\/gone has no file config\.json\.$/,
  );
});

it("leaves a directory, a command without a model and a missing path alone", async () => {
  for (const argv of [
    ["--model", "src/hub"],
    ["--prompt", "x"],
    ["--model", "./gone"],
    ["--model"],
  ]) {
    expect(await withHubModel(argv, options())).toBe(argv);
  }
  expect(requests).toEqual([]);
});

it("says in one sentence what the Hub does not have, and keeps no half model", async () => {
  await expect(withHubModel(["--model", "some-body/gone"], options())).rejects.toMatchObject({
    message:
      "There is no model directory some-body/gone. The Hub has no model some-body/gone. " +
      "If it is private, enter a token.",
    exitCode: 1,
  });
  cutAt = 3000;
  await expect(withHubModel(["--model", ID], options())).rejects.toThrow(/The connection broke/);
  expect(fs.readdirSync(cache)).toEqual([`some-body--tiny@${COMMIT}.part`]);
  cutAt = undefined;
  await withHubModel(["--model", ID], options());
  expect(fs.readdirSync(cache)).toEqual([`some-body--tiny@${COMMIT}`]);
});
