/** A connection without bytes for this long, in ms, is broken. */
export const SILENCE_MS = 20_000;

/**
 * A part of a download, if it arrives in time.
 * @param silence ends the request and returns the error to throw
 * @throws the error of `silence`; what `arriving` rejects with
 */
export function within<T>(
  arriving: Promise<T>,
  silence: () => unknown,
  ms: number = SILENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silence()), ms);
  });
  return Promise.race([arriving, silent]).finally(() => clearTimeout(timer));
}
