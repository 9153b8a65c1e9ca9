/** The model's template cannot produce a prompt; the message is one sentence. */
export class PromptError extends Error {
  override readonly name = "PromptError";
}
