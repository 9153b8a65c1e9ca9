import type { AdapterFacts } from "@/gpu/device";
import type { RangeMemory } from "@/model/vision/rangedEncoder";

const CACHE = "keepsight-encoder-ranges";

/** What a measured range depends on. */
interface RangeOwner {
  /** Where the model is from, and its weights' identity. */
  readonly model: string;
  readonly weights: string;
  readonly adapter: AdapterFacts;
}

/** Ranges in the browser's cache storage. Without one (private windows, Node) they are measured at every visit. */
export async function rangeMemory(owner: Promise<RangeOwner>): Promise<RangeMemory> {
  const store =
    typeof caches === "undefined" ? undefined : await caches.open(CACHE).catch(() => undefined);
  return rangesIn(store, owner);
}

function rangesIn(store: Cache | undefined, owner: Promise<RangeOwner>): RangeMemory {
  const address = async () => {
    const query = new URLSearchParams({ owner: JSON.stringify(await owner) });
    return new URL(`range?${query}`, location.href).href;
  };
  return {
    async recall() {
      const known = await store?.match(await address()).catch(() => undefined);
      return known && ((await known.json()) as { readonly most: number }).most;
    },
    async keep(most) {
      // Storage may be full.
      await store?.put(await address(), Response.json({ most })).catch(() => undefined);
    },
  };
}
