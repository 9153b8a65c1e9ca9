import type { Framed } from "@/model/prompt/clips";
import type { Prompt, PromptTile } from "@/model/prompt/prompt";
import { EngineError } from "@/protocol/failure";
import type { Notice } from "@/protocol/notice";
import type { AskRequest } from "@/protocol/request";
import type { ImageLayout } from "@/protocol/result";
import type { LoadedModel } from "../load/loadedModel";
import { patchFrame } from "../session/imageCut";
import { type ConversationImages, imageLayout, type PreparedImage } from "../session/images";
import { type Seen, settingsKey } from "./continuation";
import { type CheckedSettings, checkRequest, checkSettings } from "./request";

/** A validated question: its settings, its prompt and the images in it. */
export interface PreparedTurn extends CheckedSettings {
  readonly request: AskRequest;
  /** The whole conversation. */
  readonly prompt: Prompt;
  /** The image behind each of `prompt.tiles`. */
  readonly tileImages: readonly PreparedImage[];
  /** The prompt's tokens and images, to compare with those of a cache. */
  readonly seen: Seen;
  readonly layouts: readonly ImageLayout[];
  readonly notices: readonly Notice[];
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
  const { vocabulary, contextLength } = model.decoder.config;
  checkRequest(request, { vocabulary, seesImages: images !== undefined });
  const shown = await seeImages(request, images, signal);
  const prompt = model.prompts.build(
    request.turns.map((turn, i) => ({
      ...turn,
      images: (shown[i] ?? []).map(({ keys, image, frame }) => {
        return { key: keys[0] as string, ...image.geometry, ...frame };
      }),
    })),
  );
  checkContext(prompt.ids.length, contextLength);
  const all = shown.flat();
  const shownInOrder = prompt.imageOrder.map((i) => all[i] as ShownImage);
  const inOrder = shownInOrder.map(({ image }) => image);
  const tileImages = imagesOfTiles(prompt.tiles, inOrder);
  const tiles = tileImages.map(({ hash }) => hash);
  return {
    ...checked,
    request,
    prompt,
    tileImages,
    seen: { ids: prompt.ids, tiles, settings: settingsKey(request.settings) },
    layouts: layoutsOf(prompt.tiles, shownInOrder),
    notices: [...new Set(inOrder)].flatMap(({ notices }) => notices),
  };
}

function checkContext(tokens: number, contextLength: number): void {
  if (tokens < contextLength) return;
  const message = `The conversation is too long: ${tokens} tokens, but the model's context is ${contextLength}.`;
  const reason = { kind: "context", tokens, most: contextLength } as const;
  throw new EngineError({ code: "contextOverflow", message, reason, action: "newConversation" });
}

/** An image where a turn shows it, or the frames of a temporal patch. */
interface ShownImage {
  readonly keys: readonly string[];
  readonly image: PreparedImage;
  readonly frame: Framed;
}

/** The images of every turn, in order. An image may be cut otherwise beside others. */
async function seeImages(
  { turns, images: files, frames = {} }: AskRequest,
  images: ConversationImages | undefined,
  signal: AbortSignal,
): Promise<readonly (readonly ShownImage[])[]> {
  const shown: ShownImage[][] = [];
  for (const { images: keys } of turns) {
    const framed = keys.map((key): Framed => {
      const frame = frames[key];
      return frame ? { frame } : {};
    });
    const own: ShownImage[] = [];
    for (const patch of images?.temporalPatches(framed) ?? []) {
      const shownKeys = keys.slice(patch.first, patch.first + patch.count);
      const blobs = shownKeys.map((key) => files[key] as Blob);
      const image = await (images as ConversationImages).see(blobs, framed, patch.first);
      signal.throwIfAborted();
      own.push({ keys: shownKeys, image, frame: patchFrame(framed, patch) });
    }
    shown.push(own);
  }
  return shown;
}

/** The image behind each tile. `shown`: one per occurrence, in prompt order. */
function imagesOfTiles(
  tiles: readonly PromptTile[],
  shown: readonly PreparedImage[],
): readonly PreparedImage[] {
  let occurrence = -1;
  return tiles.map(({ tile }) => {
    if (tile === 0) occurrence++;
    return shown[occurrence] as PreparedImage;
  });
}

/** One layout per occurrence of an image or a temporal patch, in prompt order. */
function layoutsOf(tiles: readonly PromptTile[], shown: readonly ShownImage[]): ImageLayout[] {
  const starts = tiles.flatMap(({ tile }, i) => (tile === 0 ? [i] : []));
  return starts.map((start, i) => {
    const { keys, image } = shown[i] as ShownImage;
    return imageLayout(keys, image, tiles.slice(start, starts[i + 1]));
  });
}
