import type { StoreApi } from "zustand/vanilla";

/**
 * A store for everyone but its owner: it can be read and subscribed to, and only the owner's
 * actions change it.
 */
export type ReadonlyStore<T> = Omit<StoreApi<T>, "setState">;
