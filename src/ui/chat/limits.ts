/** Characters of the longest question that the page sends. */
export const MAX_CHARACTERS = 8000;
