import type { KvCache } from "../kv/cache";
import type { RowCounts } from "../kv/layout";

/**
 * u32 [layers, kvHeads] (row of the first key, keys, lead, 0): where each head's keys are in its layer's buffer.
 * @param start rows before the prompt
 * @param span the rows `before` the prompt, or the prompt's own keys
 */
export function spanWords(
  cache: KvCache,
  start: RowCounts,
  span: "before" | { readonly keys: number },
): Uint32Array<ArrayBuffer> {
  const { layers, kvHeads } = cache.shape;
  const words = new Uint32Array(layers * kvHeads * 4);
  for (const [layer, counts] of start.entries()) {
    const regions = cache.regions(layer);
    for (const [head, before] of counts.entries()) {
      const { offset } = regions[head]!;
      const line = span === "before" ? [offset, before, before] : [offset + before, span.keys, 0];
      words.set(line, (layer * kvHeads + head) * 4);
    }
  }
  return words;
}
