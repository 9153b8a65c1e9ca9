import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import sirv from "sirv";

export interface StaticSite {
  readonly url: string;
  /** Requests so far: the path below the prefix, with the range if requested. */
  readonly requests: readonly string[];
  /** Serves another folder from now on, like a host after a deployment. */
  deploy(folder: string): void;
  /** Breaks every connection from now on, like a lost network. */
  close(): void;
}

/** Serves a folder below a prefix like a plain static host, with no special headers. */
export async function serveStatic(
  prefix: string,
  folder: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<StaticSite> {
  let serve = sirv(folder, { dev: true, etag: true });
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    const missing = () => {
      response.statusCode = 404;
      response.end();
    };
    if (!request.url?.startsWith(prefix)) return missing();
    request.url = request.url.slice(prefix.length - 1);
    const name = request.url.slice(1);
    const { range } = request.headers;
    requests.push(range ? `${name} ${range}` : name);
    const text = extra[name];
    if (text !== undefined) return response.end(text);
    serve(request, response, missing);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    requests,
    deploy: (next) => {
      serve = sirv(next, { dev: true, etag: true });
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What differs in a copy of a build. */
interface BuildChange {
  readonly title: string;
  /** Files with more bytes are left out; default: none. */
  readonly largest?: number;
}

/** A copy of a build with another page title: a minimal newer build. */
export async function copyBuild(
  from: string,
  to: string,
  { title, largest = Number.POSITIVE_INFINITY }: BuildChange,
): Promise<void> {
  const isKept = (file: string) => {
    const stat = fs.statSync(file);
    return stat.isDirectory() || stat.size <= largest;
  };
  await fs.promises.cp(from, to, { recursive: true, filter: isKept });
  const page = path.join(to, "index.html");
  const html = fs
    .readFileSync(page, "utf8")
    .replace("<title>Keepsight</title>", `<title>${title}</title>`);
  fs.writeFileSync(page, html);
  const worker = path.join(to, "sw.js");
  const script = fs.readFileSync(worker, "utf8");
  const [, list = "{}"] = /^const BUILT_FILES=(.*);$/m.exec(script) ?? [];
  const files = new Map<string, readonly [bytes: number, digest: string]>(
    Object.entries(JSON.parse(list)),
  );
  if (!files.has("index.html")) throw new Error("The service worker does not list the page");
  const bytes = Buffer.from(html);
  files.set("index.html", [bytes.length, sha256(bytes)]);
  const left = [...files].filter(([, [size]]) => size <= largest);
  fs.writeFileSync(
    worker,
    script.replace(list, () => JSON.stringify(Object.fromEntries(left))),
  );
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
