import { ModelError } from "../modelError";
import type { ImageMarkup, PromptImage } from "./imageMarkup";
import type { PromptBuilder } from "./prompt";
import type { Tokenizer } from "./tokenizer";

/** A question that is in no template. */
const PROBE = "keepsight-probe";
/** One visual row. */
const IMAGE: PromptImage = {
  key: "",
  grid: { rows: 0, columns: 0 },
  tiles: [{ gridRows: 1, gridColumns: 1, box: { x: 0, y: 0, width: 1, height: 1 } }],
};

interface PromptParts {
  readonly prompts: PromptBuilder;
  readonly tokenizer: Tokenizer;
  readonly markup: ImageMarkup | undefined;
  /** Tokens that the decoder has an embedding for. */
  readonly vocabulary: number;
}

/**
 * Writes one prompt, with an image if the model reads any, so that a directory whose files do not fit one
 * another is refused when it is loaded, not with the first question.
 * @throws ModelError, PromptError
 */
export function checkPrompts({ prompts, tokenizer, markup, vocabulary }: PromptParts): void {
  const question = [{ type: "text", text: PROBE }] as const;
  if (!tokenizer.render([{ role: "user", content: question }]).includes(PROBE)) {
    throw bad("chat template leaves the question out");
  }
  const { ids } = prompts.build([{ images: markup ? [IMAGE] : [], question: PROBE }]);
  const text = ids.filter((id) => id !== markup?.imageTokenId);
  const beyond = text.find((id) => id >= vocabulary);
  if (beyond !== undefined) {
    throw bad(`tokenizer.json gives the token ${beyond}, but its config.json has ${vocabulary}`);
  }
  if (!tokenizer.decode(text, { keepSpecial: true }).includes(PROBE)) {
    throw bad("tokenizer.json does not keep the text of a question");
  }
}

function bad(what: string): ModelError {
  return new ModelError("badModel", `The model's ${what}.`);
}
