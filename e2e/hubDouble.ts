import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Page, Route } from "@playwright/test";

const HUB = "https://huggingface.co";
const STORAGE = "/storage/";
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "*",
  "access-control-allow-headers": "*",
};

interface HubDouble {
  /** The page, at the origin that stores the files: the only one besides the Hub that its policy allows. */
  readonly pageUrl: string;
  /** Requests so far: path and range. */
  readonly requests: string[];
  /** Changes how the next requests are answered. */
  behave(behaviour: Behaviour): void;
  close(): void;
}

interface Behaviour {
  /** Refuses everything, like a lost network. */
  readonly isOffline?: boolean;
  /** Changes a byte of the weights. */
  readonly isDamaged?: boolean;
  /** Sends whole files, whatever range is requested. */
  readonly hasNoRanges?: boolean;
  /** Bytes of the weights after which every connection breaks. */
  readonly cutAt?: number;
  /** Hides the model from requests without a token. */
  readonly isPrivate?: boolean;
  /** Sends the weights after this. */
  readonly holds?: Promise<void>;
  /** Requires a token for the files. */
  readonly isGated?: boolean;
}

/**
 * A double of the Hub with one model, in place of huggingface.co: the same paths and refusals. As on the
 * Hub, a file's address redirects to another origin, a server that sends ranges.
 * @param site serves the page; the storage's server passes everything else on to it
 */
export async function startHubDouble(
  page: Page,
  site: string,
  id: string,
  folder: string,
): Promise<HubDouble> {
  const commit = createHash("sha1").update(id).digest("hex");
  const requests: string[] = [];
  let behaviour: Behaviour = {};
  const names = fs.readdirSync(folder);

  const storage = http.createServer((request, response) => {
    const { url = "/", headers } = request;
    if (!url.startsWith(STORAGE)) return passOn(site, request, response);
    requests.push(`${url} ${headers.range ?? ""}`.trim());
    // Requests to the storage are signed by their address; a token would leave the Hub.
    if (headers.authorization) return response.writeHead(400, CORS).end();
    const name = url.slice(STORAGE.length);
    if (!names.includes(name)) return response.writeHead(404, CORS).end();
    const send = () => sendFile(response, path.join(folder, name), headers.range, behaviour);
    if (behaviour.holds && isLarge(name) && request.method === "GET") behaviour.holds.then(send);
    else send();
  });
  await new Promise<void>((ready) => storage.listen(0, "127.0.0.1", ready));
  const pageUrl = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/`;

  await page.context().route(`${HUB}/**`, (route: Route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const { authorization } = request.headers();
    requests.push(pathname);
    const fulfil = (status: number, headers: Record<string, string> = {}) =>
      route.fulfill({ status, headers: { ...CORS, ...headers } });
    if (behaviour.isOffline) return route.abort("internetdisconnected");
    if (request.method() === "OPTIONS") return fulfil(204);
    const isHidden = behaviour.isPrivate && !authorization;
    if (isHidden) return fulfil(401, { "x-error-code": "RepoNotFound" });
    const named = pathname.split(`/api/models/${id}/revision/`)[1];
    if (named === "main" || named === commit) {
      const cardData = { license: "apache-2.0" };
      const siblings = names.map((name) => siblingOf(folder, name));
      return route.fulfill({ json: { id, sha: commit, cardData, siblings }, headers: CORS });
    }
    const resolved = `/${id}/resolve/${commit}/`;
    if (!pathname.startsWith(resolved)) return fulfil(404, { "x-error-code": "RepoNotFound" });
    if (behaviour.isGated && !authorization) return fulfil(403, { "x-error-code": "GatedRepo" });
    const name = pathname.slice(resolved.length);
    if (!names.includes(name)) return fulfil(404, { "x-error-code": "EntryNotFound" });
    return fulfil(302, { location: `${pageUrl}${STORAGE.slice(1)}${name}` });
  });
  return {
    pageUrl,
    requests,
    behave: (next) => {
      behaviour = next;
    },
    close: () => {
      storage.close();
      storage.closeAllConnections();
    },
  };
}

/** What the Hub says of a file: large ones are named by their SHA-256. */
function siblingOf(folder: string, rfilename: string) {
  const bytes = fs.readFileSync(path.join(folder, rfilename));
  const size = bytes.length;
  if (!isLarge(rfilename)) return { rfilename, size };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { rfilename, size, lfs: { size, sha256 } };
}

function isLarge(name: string): boolean {
  return name.endsWith(".safetensors");
}

function sendFile(
  response: http.ServerResponse,
  file: string,
  range: string | undefined,
  { isDamaged, hasNoRanges, cutAt }: Behaviour,
): void {
  const bytes = fs.readFileSync(file);
  if (isLarge(file) && isDamaged) bytes[bytes.length - 1]! ^= 1;
  const isPart = range !== undefined && !hasNoRanges;
  const [start = 0, last = bytes.length - 1] = isPart ? range.match(/\d+/g)!.map(Number) : [];
  const part = bytes.subarray(start, last + 1);
  response.writeHead(isPart ? 206 : 200, {
    ...CORS,
    "content-length": part.length,
    ...(isPart ? { "content-range": `bytes ${start}-${last}/${bytes.length}` } : {}),
  });
  if (!isLarge(file) || cutAt === undefined || last < cutAt) return void response.end(part);
  response.write(part.subarray(0, Math.max(0, cutAt - start)), () => response.destroy());
}

function passOn(site: string, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { method, headers, url = "/" } = request;
  const passed = http.request(new URL(url, site), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  passed.on("error", () => response.destroy());
  response.on("close", () => passed.destroy());
  request.pipe(passed);
}
