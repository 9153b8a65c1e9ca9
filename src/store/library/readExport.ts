import { texts } from "@/language/language";
import { formatMegabytes } from "@/text/format";
import { readImage } from "../images/readImage";
import type { ConversationRecord, ImageRecord } from "./records";

/** Engines limit strings to about this length. */
const MAX_DOCUMENT_BYTES = 500e6;

/** The conversation of an exported file, with its images checked. @throws Error if it cannot be read */
export async function readExport(
  file: File,
  newId: () => string,
  now: number,
): Promise<ConversationRecord> {
  // Loaded on demand: both are rarely needed, and not on the first screen.
  const { readDocument, recordOf } = await import("./importJson");
  if (file.size > MAX_DOCUMENT_BYTES) {
    const most = formatMegabytes(MAX_DOCUMENT_BYTES, 0);
    throw new Error(texts.library.tooLarge(file.name, formatMegabytes(file.size), most));
  }
  const record = recordOf(readDocument(await file.text(), file.name), newId, now);
  const pictures: ImageRecord[] = [];
  for (const { blob, ...source } of record.pictures) {
    const outcome = await readImage(blob, source);
    if (!outcome.ok) throw new Error(outcome.failure.message);
    const { url, ...image } = outcome.image;
    URL.revokeObjectURL(url);
    const { frame } = source;
    pictures.push({ ...image, ...(frame && { frame }) });
  }
  return { ...record, pictures };
}
