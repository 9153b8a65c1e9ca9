/** A sentence with elements of the page in it, in the order of its language. */
export type Parts<T> = readonly (string | T)[];
