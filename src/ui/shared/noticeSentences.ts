import { texts } from "@/language/language";
import { noticeSentence } from "@/language/noticeSentence";
import type { RecordedNotice } from "@/protocol/notice";

/** The engine's notices in the language of the page. */
export function noticeSentences(notices: readonly RecordedNotice[]): readonly string[] {
  return notices.map((notice) => noticeSentence(texts.notices, notice));
}
