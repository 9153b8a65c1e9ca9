import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";
import {
  type Attempt,
  type ChatConversation,
  type ConversationImage,
  type Exchange,
  titleOf,
} from "../conversation/conversation";
import type { Hidden } from "../conversation/occlusion";
import type { Run } from "../conversation/run";
import type { Timings } from "../conversation/timings";

/**
 * A stored conversation: no attempt is running, and its images have no object URLs yet. Stored and
 * exported data keep the field names of the first version: `pictures`, `picture`, `trace`.
 */
export interface ConversationRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly name: string;
  readonly pictures: readonly ImageRecord[];
  readonly exchanges: readonly ExchangeRecord[];
}

export type ImageRecord = Omit<ConversationImage, "url">;

interface ExchangeRecord extends Omit<Exchange, "images" | "attempts"> {
  readonly pictures: readonly string[];
  readonly attempts: readonly AttemptRecord[];
}

export interface AttemptRecord extends Omit<Attempt, "hidden" | "run"> {
  readonly hidden?: HiddenRecord;
  readonly run: RunRecord;
}

export interface HiddenRecord extends Omit<Hidden, "image"> {
  readonly picture: string;
}

export type RunRecord =
  | (Omit<Extract<Run, { phase: "done" }>, "timings"> & { readonly trace?: Timings })
  | Extract<Run, { phase: "failed" }>;

/** The page was left before the answer ended. */
function leftFailure(): EngineFailure {
  return { code: "cancelled", message: texts.library.left, action: "retry" };
}

/** An entry in the list of conversations. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  readonly updatedAt: number;
  readonly pictures: number;
  readonly questions: number;
  /** Title of the first image, and a small copy of it; absent in older entries. */
  readonly image?: string;
  readonly thumbnail?: string;
}

export function entryOf(record: ConversationRecord, thumbnail?: string): Entry {
  const { id, updatedAt, pictures, exchanges } = record;
  const title = titleOf(revive(record));
  const image = pictures[0]?.title;
  return {
    id,
    title,
    updatedAt,
    pictures: pictures.length,
    questions: exchanges.length,
    ...(image === undefined ? {} : { image }),
    ...(thumbnail === undefined ? {} : { thumbnail }),
  };
}

/** The stored form of a conversation; a running answer is stored as interrupted. */
export function toRecord(conversation: ChatConversation, updatedAt: number): ConversationRecord {
  const { id, createdAt, name, images, exchanges } = conversation;
  return {
    id,
    createdAt,
    updatedAt,
    name,
    pictures: images.map(({ url: _, ...image }) => image),
    exchanges: exchanges.map(({ images: pictures, attempts, ...exchange }) => ({
      ...exchange,
      pictures,
      attempts: attempts.map(attemptRecord),
    })),
  };
}

function attemptRecord({ hidden, run, ...attempt }: Attempt): AttemptRecord {
  return { ...attempt, ...(hidden ? { hidden: hiddenRecord(hidden) } : {}), run: runRecord(run) };
}

function hiddenRecord({ image, ...hidden }: Hidden): HiddenRecord {
  return { ...hidden, picture: image };
}

function runRecord(run: Run): RunRecord {
  if (run.phase === "failed") return run;
  if (run.phase !== "done") {
    return {
      phase: "failed",
      text: run.phase === "running" ? run.text : "",
      failure: leftFailure(),
    };
  }
  const { timings, ...done } = run;
  return timings ? { ...done, trace: timings } : done;
}

/** Older records kept the type that a file was declared with. A type that is no image's is taken off. */
function asImage(blob: Blob): Blob {
  const isImage = /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(blob.type);
  return isImage ? blob : blob.slice(0, blob.size, "application/octet-stream");
}

/** The conversation of a record; the addresses of its images are empty. */
export function revive(record: ConversationRecord): ChatConversation {
  const { id, createdAt, name, pictures, exchanges } = record;
  return {
    id,
    createdAt,
    name,
    images: pictures.map((image) => ({ ...image, blob: asImage(image.blob), url: "" })),
    exchanges: exchanges.map(({ pictures: images, attempts, ...exchange }) => ({
      ...exchange,
      images,
      attempts: attempts.map(revivedAttempt),
    })),
  };
}

function revivedAttempt({ hidden, run, ...attempt }: AttemptRecord): Attempt {
  return { ...attempt, ...(hidden ? { hidden: revivedHidden(hidden) } : {}), run: revivedRun(run) };
}

function revivedHidden({ picture, ...hidden }: HiddenRecord): Hidden {
  return { ...hidden, image: picture };
}

function revivedRun(run: RunRecord): Run {
  if (run.phase === "failed") return run;
  const { trace, ...done } = run;
  return trace ? { ...done, timings: trace } : done;
}
