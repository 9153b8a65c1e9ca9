/** Half-open range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The single range of a `Range` header for a file of `size` bytes, clipped to its end; undefined if
 * there is no single satisfiable range (RFC 9110 §14.1.2).
 */
export function parseRange(header: string, size: number): ByteRange | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : undefined;
}

/** A 206 response: `range` of a file of `size` bytes. */
export function partialResponse(
  body: BodyInit,
  { start, end }: ByteRange,
  size: number,
  type: string,
): Response {
  return new Response(body, {
    status: 206,
    headers: {
      "content-type": type,
      "content-length": String(end - start),
      "content-range": `bytes ${start}-${end - 1}/${size}`,
    },
  });
}
