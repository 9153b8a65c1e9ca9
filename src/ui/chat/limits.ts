/** Longer questions are refused on the page, before they reach the model's context. */
export const MAX_CHARACTERS = 8000;
