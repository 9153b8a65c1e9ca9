import { capacityFor, type RowCounts } from "@/model/kv/layout";

/** A ceiling of the KV pool, in bytes. */
export interface Cap {
  readonly bytes: number;
  /** Bytes of one row of keys and values of one head. */
  readonly rowBytes: number;
}

/**
 * The peak bytes of the pool while `added` rows are appended to every head, compacted and trimmed:
 * all layers at their final capacity, and one layer twice, because a layer moves to a new buffer
 * before the old one is destroyed.
 */
export function peakBytes(rows: RowCounts, added: number, rowBytes: number): number {
  const layers = rows.map((heads) => heads.reduce((sum, r) => sum + capacityFor(r + added), 0));
  return (layers.reduce((sum, layer) => sum + layer, 0) + Math.max(0, ...layers)) * rowBytes;
}

/** Shares are searched for as multiples of 1 / SHARES: a head's rows then change by single rows. */
const SHARES = 4096;

/**
 * Cached rows that each head may keep so that `added` more fit under the cap: the largest share
 * that fits, equal for all heads, but at least `least`. Undefined if even `least` does not fit.
 */
export function shrunkRows(
  rows: RowCounts,
  least: RowCounts,
  added: number,
  { bytes, rowBytes }: Cap,
): RowCounts | undefined {
  const at = (share: number): RowCounts =>
    rows.map((heads, layer) =>
      heads.map((r, head) =>
        Math.max(Math.min(r, least[layer]?.[head] ?? 0), Math.floor((r * share) / SHARES)),
      ),
    );
  const fits = (share: number) => peakBytes(at(share), added, rowBytes) <= bytes;
  if (!fits(0)) return undefined;
  let [low, high] = [0, SHARES];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return at(low);
}
