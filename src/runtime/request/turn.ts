import type { Prompt, PromptTile } from "@/model/prompt/prompt";
import { type AskRequest, EngineError, type ImageLayout } from "@/protocol/engine";
import { type ConversationImages, imageLayout, type SeenImage } from "../session/images";
import type { LoadedModel } from "../session/loadedModel";
import { type Seen, settingsKey } from "./continuation";
import { type CheckedSettings, checkRequest, checkSettings } from "./request";

/** A validated question: its settings, its prompt and the images in it. */
export interface PreparedTurn extends CheckedSettings {
  readonly request: AskRequest;
  /** The whole conversation. */
  readonly prompt: Prompt;
  /** The image behind each of `prompt.tiles`. */
  readonly tileImages: readonly SeenImage[];
  /** The prompt's tokens and images, to compare with those of a cache. */
  readonly seen: Seen;
  readonly layouts: readonly ImageLayout[];
  readonly notices: readonly string[];
}

/**
 * Validates a question, decodes its images and builds its prompt. Every refusal happens here,
 * before any GPU work and before any held state changes.
 * @throws EngineError, PolicyError, PromptError; AbortError
 */
export async function prepareTurn(
  request: AskRequest,
  model: LoadedModel,
  images: ConversationImages | undefined,
  signal: AbortSignal,
): Promise<PreparedTurn> {
  const checked = checkSettings(request.settings);
  checkRequest(request, model.decoder.config.vocabulary, images !== undefined);
  const byKey = new Map<string, SeenImage>();
  for (const key of new Set(request.turns.flatMap((turn) => turn.images))) {
    byKey.set(key, await (images as ConversationImages).see(request.images[key] as Blob));
    signal.throwIfAborted();
  }
  const prompt = model.prompts.build(
    request.turns.map(({ images, ...turn }) => ({
      ...turn,
      images: images.map((key) => ({ key, ...(byKey.get(key) as SeenImage).geometry })),
    })),
  );
  checkContext(prompt.ids.length, model.decoder.config.contextLength);
  const tileImages = prompt.tiles.map(({ image }) => byKey.get(image) as SeenImage);
  const tiles = tileImages.map(({ hash }) => hash);
  return {
    ...checked,
    request,
    prompt,
    tileImages,
    seen: { ids: prompt.ids, tiles, settings: settingsKey(request.settings) },
    layouts: layoutsOf(prompt.tiles, byKey),
    notices: [...byKey.values()].flatMap(({ notices }) => notices),
  };
}

function checkContext(tokens: number, contextLength: number): void {
  if (tokens < contextLength) return;
  const message = `The conversation is too long: ${tokens} tokens, but the model's context is ${contextLength}.`;
  throw new EngineError({ code: "contextOverflow", message, action: "newConversation" });
}

/** One layout per occurrence of an image, in prompt order. */
function layoutsOf(
  tiles: readonly PromptTile[],
  byKey: ReadonlyMap<string, SeenImage>,
): ImageLayout[] {
  const starts = tiles.flatMap(({ tile }, i) => (tile === 0 ? [i] : []));
  return starts.map((start, i) => {
    const own = tiles.slice(start, starts[i + 1]);
    const key = own[0]?.image as string;
    return imageLayout(key, byKey.get(key) as SeenImage, own);
  });
}
