import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";
import { MOST_CHOICES } from "../chat/comparisonSetup";
import { checkResult, checkSaid } from "./consistency";
import { documentSchema } from "./documentSchema";
import type { ConversationDocument, DocumentAttempt } from "./exportJson";
import type { AttemptRecord, ConversationRecord, RunRecord } from "./records";
import { SchemaError } from "./schema";

/**
 * Reads an export of `exportJson`. Every field is validated.
 * @param name of the file, for the sentence
 * @throws SchemaError with one sentence
 */
export function readDocument(json: string, name: string): ConversationDocument {
  try {
    const read = documentSchema(JSON.parse(json), "");
    checkReferences(read);
    return read;
  } catch (error) {
    const why = error instanceof SchemaError ? error.message : texts.library.noJson;
    throw new SchemaError(texts.library.noConversation(name, why));
  }
}

function checkReferences({ pictures, exchanges }: ConversationDocument): void {
  const known = new Set(pictures.map(({ id }) => id));
  for (const [index, exchange] of exchanges.entries()) {
    const missing = exchange.pictures.find((id) => !known.has(id));
    if (missing !== undefined) {
      throw new SchemaError(texts.documents.unknownImage(`exchanges[${index}]`));
    }
    if (exchange.attempts.length === 0)
      throw new SchemaError(texts.documents.noAttempts(`exchanges[${index}]`));
    for (const [place, attempt] of exchange.attempts.entries()) {
      checkAttempt(attempt, known, `exchanges[${index}].attempts[${place}]`);
    }
    for (const { comparison } of exchange.attempts) {
      const lanes = exchange.attempts.filter((each) => each.comparison === comparison);
      if (comparison !== undefined && lanes.length > MOST_CHOICES) {
        throw new SchemaError(texts.documents.lanes(`exchanges[${index}]`, lanes.length));
      }
    }
  }
}

function checkAttempt(attempt: DocumentAttempt, images: ReadonlySet<string>, at: string): void {
  const { result: given, failure: why, hidden: covered } = attempt;
  if (given === undefined && why === undefined) {
    throw new SchemaError(texts.documents.noOutcome(at));
  }
  if (covered && !images.has(covered.picture)) {
    throw new SchemaError(texts.documents.unknownImage(`${at}.hidden`));
  }
  if (given) checkResult(given, `${at}.result`);
  const reference = given?.reference;
  if (reference && "result" in reference) checkResult(reference.result, `${at}.result.reference`);
  checkSaid(attempt.text ?? "", `${at}.text`);
}

/** A document as a new conversation with new ids. */
export function recordOf(
  { name, createdAt, pictures, exchanges }: ConversationDocument,
  newId: () => string,
  now: number,
): ConversationRecord {
  const created = Date.parse(createdAt);
  return {
    id: newId(),
    createdAt: Number.isFinite(created) ? created : now,
    updatedAt: now,
    name,
    pictures: pictures.map(({ data, ...image }) => ({ ...image, blob: blobOf(data) })),
    exchanges: exchanges.map((exchange) => ({
      ...exchange,
      id: newId(),
      attempts: exchange.attempts.map((attempt) => attemptOf(attempt, newId())),
    })),
  };
}

function attemptOf(
  { result: given, failure: why, text: said, trace, origin, ...attempt }: DocumentAttempt,
  id: string,
): AttemptRecord {
  const measured = { ...(origin ? { origin } : {}), ...(trace ? { trace } : {}) };
  const run: RunRecord = given
    ? { phase: "done", result: given, ...measured }
    : { phase: "failed", text: said ?? "", failure: why ?? unknownFailure() };
  return { ...attempt, id, run };
}

function unknownFailure(): EngineFailure {
  return { code: "internal", message: texts.library.failed, action: "retry" };
}

/** @throws SchemaError if it is not a base64 data URL */
export function blobOf(dataUrl: string): Blob {
  const comma = dataUrl.indexOf(",");
  const type = /^data:([\w/+.-]+);base64$/.exec(dataUrl.slice(0, Math.max(0, comma)))?.[1];
  if (type === undefined) throw new SchemaError(texts.library.imageNoData);
  try {
    const letters = atob(dataUrl.slice(comma + 1));
    return new Blob([Uint8Array.from(letters, (letter) => letter.charCodeAt(0))], { type });
  } catch {
    throw new SchemaError(texts.library.imageDamaged);
  }
}
