import type { Notice, NoticeCode, RecordedNotice } from "@/protocol/notice";
import type { FailureReason } from "@/protocol/reason";
import { dictionary, either, finite, oneOf, type Schema, string } from "./schema";

/** Listed individually, so that the compiler reports a missing one. */
const NOTICE_CODES: Readonly<Record<NoticeCode, true>> = {
  scaledDown: true,
  blankImage: true,
  unfamiliarImage: true,
  firstFrame: true,
  fewerQueries: true,
  shorterWindow: true,
  windowOnly: true,
  rowsAveraged: true,
  fewerProtected: true,
  fewerAnchors: true,
  earlierDropped: true,
  imageDropped: true,
  earlierReduced: true,
  earlierImagesDropped: true,
  pieces: true,
  decodedTogether: true,
  encoderRange: true,
  wrongKernels: true,
};
export const REASON_KINDS: Readonly<Record<FailureReason["kind"], true>> = {
  emptyFile: true,
  noImage: true,
  heic: true,
  damaged: true,
  imageMemory: true,
  truncated: true,
  noPixels: true,
  megapixels: true,
  tooLong: true,
  noAdapter: true,
  wrongResults: true,
  limit: true,
  cap: true,
  cacheMemory: true,
  memory: true,
  modelMemory: true,
  lane: true,
  context: true,
  textOnly: true,
};

/** Numbers and names, with a tag that the page has a sentence for. */
function tagged<T>(tag: string, known: Readonly<Record<string, true>>): Schema<T> {
  return (value, at) => {
    const fields = dictionary(either(finite, string))(value, at);
    oneOf(...Object.keys(known))(fields[tag], `${at}.${tag}`);
    return fields as T;
  };
}

export const reasonSchema = tagged<FailureReason>("kind", REASON_KINDS);
export const noticeSchema: Schema<RecordedNotice> = either(
  string,
  tagged<Notice>("code", NOTICE_CODES),
);
