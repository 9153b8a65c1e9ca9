import { shown } from "@/text/shown";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import { transformers } from "./transformers";

type LibraryTokenizer = InstanceType<typeof transformers.PreTrainedTokenizer>;

/** One message of a conversation, in the format of chat templates. */
export interface ChatMessage {
  readonly role: "user" | "assistant";
  readonly content: readonly (
    | { readonly type: "image" }
    | { readonly type: "video" }
    | { readonly type: "text"; readonly text: string }
  )[];
}

/** The model's own tokenizer and chat template. */
export class Tokenizer {
  readonly #tokenizer: LibraryTokenizer;
  readonly #template: string;
  /** Added tokens as text: each becomes one id anywhere in a text. */
  readonly addedTokens: readonly string[];
  #takesParts: boolean | undefined;

  constructor(tokenizer: LibraryTokenizer, template: string, addedTokens: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#template = withKnownEscapes(template);
    this.addedTokens = addedTokens;
  }

  /**
   * Reads `tokenizer.json`, `tokenizer_config.json` and the chat template: the processor's
   * (`chat_template.jinja`, `chat_template.json`), otherwise the tokenizer's.
   * @throws ModelError
   */
  static async load(files: ModelFiles): Promise<Tokenizer> {
    const [own, config] = await Promise.all([
      files.json("tokenizer.json"),
      files.json("tokenizer_config.json"),
    ]);
    const json = withAddedTokens(own, config);
    const template = await chatTemplate(files, config);
    try {
      return new Tokenizer(construct(json, config), template, addedTokens(json));
    } catch (cause) {
      const message = "The model's file tokenizer.json is not a tokenizer that can be used here.";
      throw new ModelError("badModel", message, { cause });
    }
  }

  /** Ids of a text; special tokens in it become their ids. @throws ModelError */
  encode(text: string): number[] {
    if (text === "") return [];
    return called("tokenizer.json cannot encode this text", () => {
      const ids = this.#tokenizer.encode(text, { add_special_tokens: false });
      if (ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;
      throw new RangeError("a token without a number");
    });
  }

  /**
   * Ids of a text that stands behind other text. SentencePiece writes a space before the first word of a
   * text; a continuation has none.
   */
  encodeRest(text: string): number[] {
    const anchor = this.encode(ANCHOR);
    const whole = this.encode(ANCHOR + text);
    const stands = anchor.length > 1 && anchor.every((id, i) => whole[i] === id);
    return stands ? whole.slice(anchor.length) : this.encode(text);
  }

  /** Text of ids. An unfinished UTF-8 sequence at the end decodes to U+FFFD. @throws ModelError */
  decode(ids: readonly number[], options: { readonly keepSpecial?: boolean } = {}): string {
    if (ids.length === 0) return "";
    return called("tokenizer.json cannot decode its tokens", () =>
      this.#tokenizer.decode([...ids], {
        skip_special_tokens: !options.keepSpecial,
        clean_up_tokenization_spaces: false,
      }),
    );
  }

  /** The prompt as text, ending where the assistant's answer begins. @throws ModelError */
  render(messages: readonly ChatMessage[]): string {
    this.#takesParts ??= this.#readsParts();
    const written = this.#takesParts ? messages : messages.map(asText);
    return called("chat template cannot write this conversation", () => this.#apply(written));
  }

  /**
   * Whether the template reads a message as a list of parts, like those of multimodal models. Other
   * templates need a text: with a list, they print it or fail.
   */
  #readsParts(): boolean {
    const probe: ChatMessage = { role: "user", content: [{ type: "text", text: PROBE }] };
    try {
      const text = this.#apply([probe]);
      return text.includes(PROBE) && !/["']type["']/.test(text);
    } catch {
      return false;
    }
  }

  #apply(messages: readonly object[]): string {
    return this.#tokenizer.apply_chat_template(
      messages as unknown as Parameters<LibraryTokenizer["apply_chat_template"]>[0],
      { tokenize: false, add_generation_prompt: true, chat_template: this.#template },
    ) as string;
  }

  /** Ids that the tokenizer puts before a text that does not begin with them (`<s>`, mostly). */
  get prefixIds(): readonly number[] {
    const plain = this.encode("x");
    const whole = this.#tokenizer.encode("x");
    return whole.slice(0, Math.max(0, whole.indexOf(plain[0] ?? -1)));
  }

  idOf(token: string): number | undefined {
    const ids = this.encode(token);
    return ids.length === 1 ? ids[0] : undefined;
  }
}

/** A character that no token joins with others; with the space before it, it has two tokens. */
const ANCHOR = "\n";
/** A word that is in no template. */
const PROBE = "keepsight-probe";

/**
 * The template with backslashes doubled that begin no escape sequence: Python keeps such a backslash,
 * the library refuses it. Only within expressions and statements, where strings are.
 */
function withKnownEscapes(template: string): string {
  return template.replace(/\{[{%][\s\S]*?[}%]\}/g, (block) =>
    block.replace(/\\([\s\S])/g, (pair, next) =>
      "ntrbfv'\"\\".includes(next) ? pair : `\\${pair}`,
    ),
  );
}

function asText({ role, content }: ChatMessage): object {
  return { role, content: content.map((part) => ("text" in part ? part.text : "")).join("") };
}

/** `tokenizer.json` with the tokens that only `tokenizer_config.json` adds (`added_tokens_decoder`). */
function withAddedTokens(json: JsonObject, config: JsonObject): JsonObject {
  const listed: readonly { readonly id?: unknown }[] = Array.isArray(json.added_tokens)
    ? json.added_tokens
    : [];
  const known = new Set(listed.map((token) => token?.id));
  const others = Object.entries((config.added_tokens_decoder ?? {}) as JsonObject)
    .map(([id, token]) => ({ ...(token as object), id: Number(id) }))
    .filter(({ id }) => !known.has(id));
  return others.length > 0 ? { ...json, added_tokens: [...listed, ...others] } : json;
}

/**
 * All tokens that are added to the vocabulary, longest first: a shorter one may be part of a longer one.
 * White space is left out.
 */
function addedTokens({ added_tokens: listed = [] }: JsonObject): readonly string[] {
  const texts = (listed as readonly { readonly content?: unknown }[]).map(
    (token) => token?.content,
  );
  const tokens = texts.filter((text): text is string => typeof text === "string");
  return [...new Set(tokens)]
    .filter((token) => token.trim() !== "")
    .sort((a, b) => b.length - a.length);
}

/** Calls the library. Its own messages are not for users. */
function called<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw new ModelError("badModel", `The model's ${what}.`, { cause });
  }
}

/** The library's class named by `tokenizer_config.json`, otherwise its base class. */
function construct(json: JsonObject, config: JsonObject): LibraryTokenizer {
  const name = shown(config.tokenizer_class ?? "").replace(/Fast$/, "");
  const found = (transformers as Readonly<Record<string, unknown>>)[name];
  const base = transformers.PreTrainedTokenizer;
  const isTokenizer = typeof found === "function" && found.prototype instanceof base;
  return new (isTokenizer ? (found as typeof base) : base)(json, withPlainTokens(config));
}

/** Special tokens as text: the library takes objects only with a `__type`, `transformers` without, too. */
function withPlainTokens(config: JsonObject): JsonObject {
  const textOf = (value: unknown) => (value as { readonly content?: unknown } | null)?.content;
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      const text = name.endsWith("_token") ? textOf(value) : undefined;
      return [name, typeof text === "string" ? text : value];
    }),
  );
}

async function chatTemplate(files: ModelFiles, config: JsonObject): Promise<string> {
  const jinja = await files.optionalText("chat_template.jinja");
  if (jinja) return jinja;
  const json = await files.optionalJson("chat_template.json");
  if (typeof json?.chat_template === "string") return json.chat_template;
  const given = config.chat_template;
  if (typeof given === "string") return given;
  if (Array.isArray(given)) {
    const named = given.find((entry: { name?: unknown } | null) => entry?.name === "default");
    if (typeof named?.template === "string") return named.template;
  }
  throw new ModelError(
    "missingFile",
    "The model directory has no chat template (tokenizer_config.json or chat_template.jinja).",
  );
}
