import type { Notice, RecordedNotice } from "@/protocol/notice";
import { type NoticeSentences, noticesEn } from "./en/notices";

/** A notice in the words of a language; older records hold the sentence itself. */
export function noticeSentence(words: NoticeSentences, notice: RecordedNotice): string {
  if (typeof notice === "string") return notice;
  const say = words[notice.code] as (notice: Notice) => string;
  return say(notice);
}

/** For the command line, and for pages that embed the engine. */
export function noticeInEnglish(notice: RecordedNotice): string {
  return noticeSentence(noticesEn, notice);
}
