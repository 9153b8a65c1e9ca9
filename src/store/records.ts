import type { CacheSettings, EngineFailure, TurnResult } from "@/protocol/engine";
import { type Conversation, type Exchange, type Run, titleOf } from "./conversation";

/** A conversation at rest: nothing runs in it, and its pictures have no addresses yet. */
export interface ConversationRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly name: string;
  readonly pictures: readonly PictureRecord[];
  readonly exchanges: readonly ExchangeRecord[];
}

export interface PictureRecord {
  readonly id: string;
  readonly title: string;
  readonly alt: string;
  readonly blob: Blob;
  readonly width: number;
  readonly height: number;
  readonly sampleId?: string;
}

interface ExchangeRecord {
  readonly id: string;
  readonly pictures: readonly string[];
  readonly question: string;
  readonly attempts: readonly {
    readonly id: string;
    readonly settings: CacheSettings;
    readonly run: SettledRun;
    readonly comparison?: string;
  }[];
}

type SettledRun = Extract<Run, { phase: "done" | "failed" }>;

const LEFT: EngineFailure = {
  code: "cancelled",
  message: "The page was left before this answer ended.",
  action: "retry",
};

/** A line of the list of conversations. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  readonly updatedAt: number;
}

export function entryOf(record: ConversationRecord): Entry {
  return { id: record.id, title: titleOf(revive(record, () => "")), updatedAt: record.updatedAt };
}

/** What is kept of a conversation; an answer that is still being given is kept as interrupted. */
export function toRecord(conversation: Conversation, updatedAt: number): ConversationRecord {
  const { id, createdAt, name } = conversation;
  return {
    id,
    createdAt,
    updatedAt,
    name,
    pictures: conversation.pictures.map(({ url: _, ...picture }) => picture),
    exchanges: conversation.exchanges.map((exchange) => ({
      ...exchange,
      attempts: exchange.attempts.map((attempt) => ({ ...attempt, run: settled(attempt.run) })),
    })),
  };
}

function settled(run: Run): SettledRun {
  if (run.phase === "done" || run.phase === "failed") return run;
  return { phase: "failed", text: run.phase === "running" ? run.text : "", failure: LEFT };
}

/** @param urlOf gives a picture's bytes an address for as long as the page lives */
export function revive(record: ConversationRecord, urlOf: (blob: Blob) => string): Conversation {
  const { updatedAt: _, ...conversation } = record;
  return {
    ...conversation,
    pictures: record.pictures.map((picture) => ({ ...picture, url: urlOf(picture.blob) })),
    exchanges: record.exchanges satisfies readonly Exchange[],
  };
}

/** A conversation as one JSON document, pictures included as data URLs. */
export async function exportJson(record: ConversationRecord): Promise<string> {
  const pictures = await Promise.all(
    record.pictures.map(async ({ blob, ...picture }) => ({
      ...picture,
      data: await dataUrl(blob),
    })),
  );
  const exchanges = record.exchanges.map(({ question, pictures: before, attempts }) => ({
    question,
    pictures: before,
    attempts: attempts.map(({ settings, run, comparison }) => ({
      settings,
      ...(comparison === undefined ? {} : { comparison }),
      ...outcome(run),
    })),
  }));
  const { name, createdAt, updatedAt } = record;
  const dates = {
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
  const document = { format: "keepsight-conversation", version: 1, name, ...dates };
  return JSON.stringify({ ...document, pictures, exchanges }, undefined, 1);
}

function outcome(run: SettledRun): { result: TurnResult } | { failure: EngineFailure } {
  return run.phase === "done" ? { result: run.result } : { failure: run.failure };
}

async function dataUrl(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const parts: string[] = [];
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return `data:${blob.type || "application/octet-stream"};base64,${btoa(parts.join(""))}`;
}
