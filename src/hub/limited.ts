/** Waits for a place and returns what gives it back. */
export type Acquire = () => Promise<() => void>;

/** Places for at most `limit` tasks at a time, given in the order in which they were asked for. */
export function limited(limit: number): Acquire {
  let free = limit;
  const waiting: (() => void)[] = [];
  const giveBack = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((go) => waiting.push(go));
    return giveBack;
  };
}
