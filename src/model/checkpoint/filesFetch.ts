/** The part of `fetch` that the readers of a model directory use. */
export type FetchFile = (address: URL, init: RequestInit) => Promise<Response>;

/** Address of a file below a directory, whatever characters its name has. @param file with `/` between its parts */
export function fileUrl(file: string, baseUrl: string): URL {
  return new URL(file.split("/").map(encodeURIComponent).join("/"), baseUrl);
}

/**
 * Answers requests below `baseUrl` from files that are already here: a folder that somebody chose, or a
 * model kept in the browser's storage. Ranges are read from the file, which stays on disk.
 * @param files by path below the directory, with `/` between its parts
 */
export function filesFetch(baseUrl: string, files: ReadonlyMap<string, Blob>): FetchFile {
  return async ({ href }, { headers, signal }) => {
    signal?.throwIfAborted();
    const file = files.get(decodeURIComponent(href.slice(new URL(baseUrl).href.length)));
    if (!file) return new Response(null, { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(headers).get("range") ?? "");
    if (!range) {
      return new Response(file, { headers: { "content-length": String(file.size) } });
    }
    const [start, last] = [Number(range[1]), Math.min(Number(range[2]), file.size - 1)];
    if (start > last) return new Response(null, { status: 416 });
    return new Response(file.slice(start, last + 1), {
      status: 206,
      headers: { "content-range": `bytes ${start}-${last}/${file.size}` },
    });
  };
}
