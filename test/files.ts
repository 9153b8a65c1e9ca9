import fs from "node:fs";
import path from "node:path";

const ROOT = "http://files.test/";

/** URL of a directory of the repository, for `diskFetch`. */
export function diskUrl(directory: string): string {
  return `${ROOT}${directory}/`;
}

/** A `fetch` that serves the repository from disk, with ranges and real 404s. */
export const diskFetch: typeof fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const file = path.join(process.cwd(), decodeURIComponent(url.pathname));
  if (!fs.existsSync(file)) return new Response("not found", { status: 404 });
  const bytes = fs.readFileSync(file);
  const range = /bytes=(\d+)-(\d*)/.exec(new Headers(init?.headers).get("range") ?? "");
  if (!range) return new Response(bytes, { headers: { "content-length": `${bytes.length}` } });
  const start = Number(range[1]);
  const end = Math.min(range[2] ? Number(range[2]) : Number.POSITIVE_INFINITY, bytes.length - 1);
  const part = bytes.subarray(start, end + 1);
  const headers = {
    "content-length": `${part.length}`,
    "content-range": `bytes ${start}-${end}/${bytes.length}`,
  };
  return new Response(part, { status: 206, headers });
};
