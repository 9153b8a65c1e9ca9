import type { StoreApi } from "zustand/vanilla";

/** A store as all but its owner see it: it is read and followed, and changed by the owner's actions. */
export type ReadonlyStore<T> = Omit<StoreApi<T>, "setState">;
