import type { EngineFailure } from "@/protocol/engine";
import {
  type Attempt,
  type Conversation,
  type Exchange,
  type Picture,
  type Run,
  titleOf,
} from "../conversation/conversation";

/** A conversation at rest: nothing runs in it, and its pictures have no addresses yet. */
export interface ConversationRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly name: string;
  readonly pictures: readonly PictureRecord[];
  readonly exchanges: readonly ExchangeRecord[];
}

export type PictureRecord = Omit<Picture, "url">;

export interface ExchangeRecord extends Omit<Exchange, "attempts"> {
  readonly attempts: readonly AttemptRecord[];
}

export interface AttemptRecord extends Omit<Attempt, "run"> {
  readonly run: SettledRun;
}

export type SettledRun = Extract<Run, { phase: "done" | "failed" }>;

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
  readonly pictures: number;
  readonly questions: number;
}

export function entryOf(record: ConversationRecord): Entry {
  const { id, updatedAt, pictures, exchanges } = record;
  const title = titleOf(revive(record, () => ""));
  return { id, title, updatedAt, pictures: pictures.length, questions: exchanges.length };
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
