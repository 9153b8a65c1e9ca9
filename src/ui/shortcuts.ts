/** The part of a key press that a shortcut depends on. */
type KeyPress = Pick<
  KeyboardEvent,
  "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "isComposing" | "defaultPrevented"
>;

interface Place {
  /** In a field: there a letter is text. */
  readonly isTyping: boolean;
  /** A dialog, a popup or another page lies over the chat. */
  readonly isCovered: boolean;
}

/**
 * What a key does on the chat page: `/` goes to the question, `C` compares, `Esc` stops the answer. Keys of an
 * input method that composes a word do nothing else.
 */
export function shortcutOf(
  press: KeyPress,
  { isTyping, isCovered }: Place,
): "question" | "compare" | "stop" | undefined {
  const { key, ctrlKey, metaKey, altKey, shiftKey, isComposing, defaultPrevented } = press;
  if (defaultPrevented || isComposing || isCovered || ctrlKey || metaKey || altKey) {
    return undefined;
  }
  if (key === "Escape") return "stop";
  if (isTyping) return undefined;
  if (key === "/") return "question";
  return key.toLowerCase() === "c" && !shiftKey ? "compare" : undefined;
}
