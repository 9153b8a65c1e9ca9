import { bytesToHex } from "@noble/hashes/utils.js";
import type { ModelInfo } from "@/protocol/model";
import type { CacheSettings } from "@/protocol/request";
import { type ChatConversation, turnsUntil } from "../conversation/conversation";

/** What the rows of a cache follow from. */
export interface CacheOrigin {
  readonly model: Pick<ModelInfo, "id" | "versions" | "elementType" | "kvType">;
  readonly settings: CacheSettings;
  readonly conversation: ChatConversation;
  /** The exchange to answer: the turns before it count. Undefined: all that have an answer. */
  readonly before?: string;
}

/**
 * SHA-256, in hexadecimal, of weights, settings and prompt: equal for two conversations that ask the same
 * about the same images and got the same answers.
 */
export async function cacheDigest(origin: CacheOrigin): Promise<string> {
  const { model, conversation, before } = origin;
  const all = turnsUntil(conversation, before, model.id);
  const turns = await Promise.all(
    (before === undefined ? all : all.slice(0, -1)).map(async ({ images, ...turn }) => ({
      ...turn,
      images: await imageDigests(conversation, images),
    })),
  );
  return digestOf(origin, turns);
}

/**
 * Equal for two conversations that begin with the same images, whatever they ask: of a cache that drops no row, the
 * rows of these images serve both.
 */
export async function openingDigest(origin: CacheOrigin): Promise<string> {
  const { conversation } = origin;
  const { images = [] } = conversation.exchanges[0] ?? {};
  return digestOf(origin, await imageDigests(conversation, images));
}

function digestOf({ model, settings }: CacheOrigin, content: readonly unknown[]): Promise<string> {
  const { id, versions, elementType, kvType } = model;
  const { policy, retention, scope, options, capMb } = settings;
  const sorted = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const held = [id, versions.weights, elementType, kvType];
  const choice = [policy, retention, scope, sorted, capMb ?? null];
  return sha256(new TextEncoder().encode(JSON.stringify([held, choice, content])));
}

function imageDigests(
  conversation: ChatConversation,
  ids: readonly string[],
): Promise<readonly (readonly unknown[])[]> {
  return Promise.all(ids.map((each) => imageDigest(conversation, each)));
}

const digests = new WeakMap<Blob, Promise<string>>();

async function imageDigest({ images }: ChatConversation, id: string): Promise<readonly unknown[]> {
  const image = images.find((each) => each.id === id);
  if (!image) return [];
  const { blob, frame } = image;
  const digest = digests.get(blob) ?? blob.arrayBuffer().then(sha256);
  digests.set(blob, digest);
  return [await digest, frame?.seconds ?? null];
}

async function sha256(bytes: BufferSource): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
