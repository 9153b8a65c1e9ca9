import type { EngineFailure } from "@/protocol/failure";
import type { CacheSettings } from "@/protocol/request";
import type { MissingReference, ReferenceAnswer, TurnResult } from "@/protocol/result";
import type { Origin } from "../conversation/origin";
import type { Timings } from "../conversation/timings";
import type { AttemptRecord, ConversationRecord, HiddenRecord, ImageRecord } from "./records";

/** Format name and version of a conversation's JSON. */
export const FORMAT = "keepsight-conversation";
export const VERSION = 1;

/**
 * A conversation as one JSON document: everything that `npm run ask -- --replay` needs to run it
 * again, and the page to show it. The recorded attention (`TurnResult.explanation`) is omitted: it
 * is many times as large as everything else, and running the conversation again records it again.
 */
export interface ConversationDocument {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly name: string;
  /** ISO 8601 */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly pictures: readonly DocumentImage[];
  readonly exchanges: readonly DocumentExchange[];
}

export interface DocumentImage extends Omit<ImageRecord, "blob"> {
  /** The file as it was given, as a base64 data URL. */
  readonly data: string;
}

export interface DocumentExchange {
  readonly question: string;
  /** Ids of the images before the question. */
  readonly pictures: readonly string[];
  readonly attempts: readonly DocumentAttempt[];
}

/** One answer, or why there is none. */
export interface DocumentAttempt {
  readonly settings: CacheSettings;
  /** Equal for the lanes of one comparison. */
  readonly comparison?: string;
  readonly hidden?: HiddenRecord;
  readonly result?: DocumentResult;
  readonly origin?: Origin;
  readonly trace?: Timings;
  readonly failure?: EngineFailure;
  /** Text generated before it failed. */
  readonly text?: string;
}

export interface DocumentResult extends DocumentAnswer {
  readonly reference?: DocumentReference;
}

/** A result without what is recorded again. */
export type DocumentAnswer = Omit<TurnResult, "explanation" | "reference">;

export type DocumentReference =
  | MissingReference
  | (Omit<ReferenceAnswer, "result"> & { readonly result: DocumentAnswer });

export async function exportJson(record: ConversationRecord): Promise<string> {
  const { name, createdAt, updatedAt, exchanges } = record;
  const pictures = await Promise.all(
    record.pictures.map(async ({ blob, ...image }) => ({
      ...image,
      data: await dataUrl(blob),
    })),
  );
  const document: ConversationDocument = {
    format: FORMAT,
    version: VERSION,
    name,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    pictures,
    exchanges: exchanges.map(({ question, pictures: before, attempts }) => ({
      question,
      pictures: before,
      attempts: attempts.map(documentAttempt),
    })),
  };
  return JSON.stringify(document, undefined, 1);
}

function documentAttempt({ id: _, run, ...attempt }: AttemptRecord): DocumentAttempt {
  const { phase, ...outcome } = run;
  if (!("result" in outcome)) return { ...attempt, ...outcome };
  return { ...attempt, ...outcome, result: documentResult(outcome.result) };
}

function documentResult({ reference, ...result }: TurnResult): DocumentResult {
  const answer = documentAnswer(result);
  if (!reference) return answer;
  if ("missing" in reference) return { ...answer, reference };
  return { ...answer, reference: { ...reference, result: documentAnswer(reference.result) } };
}

function documentAnswer({ explanation: _, reference: __, ...answer }: TurnResult): DocumentAnswer {
  return answer;
}

/** A file's bytes as a base64 data URL. */
export async function dataUrl(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const parts: string[] = [];
  // In chunks, because the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return `data:${blob.type || "application/octet-stream"};base64,${btoa(parts.join(""))}`;
}
