/** Characters of a value that a sentence quotes at most. */
const LONGEST = 80;

/** Characters that move or hide what stands beside them: controls, directions, line separators. */
const UNSHOWN = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/**
 * A value as quoted in a message: text without control characters, anything else as JSON, both truncated if
 * long.
 */
export function shown(value: unknown): string {
  const text = (typeof value === "string" ? value : json(value)).replace(UNSHOWN, "\ufffd");
  const characters = [...text.slice(0, 2 * LONGEST + 2)];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : text;
}

function json(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return "a value that is no JSON"; // it refers to itself, or is nested too deeply
  }
}
