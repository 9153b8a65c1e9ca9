import { aboutEn } from "./about";
import { cacheEn } from "./cache";
import { chartsEn } from "./charts";
import { chatEn } from "./chat";
import { documentsEn } from "./documents";
import { exportEn } from "./export";
import { failuresEn } from "./failures";
import { libraryEn } from "./library";
import { modelsEn } from "./models";
import { noticesEn } from "./notices";
import { pageEn } from "./page";
import { shareEn } from "./share";
import { viewerEn } from "./viewer";

/** All texts of the page in English. Its type is what every other language has to say. */
export const en = {
  /** BCP 47, for `lang` and `Intl`. */
  tag: "en",
  page: pageEn,
  models: modelsEn,
  chat: chatEn,
  cache: cacheEn,
  viewer: viewerEn,
  charts: chartsEn,
  share: shareEn,
  library: libraryEn,
  documents: documentsEn,
  failures: failuresEn,
  notices: noticesEn,
  /** A text of the policies' registry, which is English. */
  policy: (english: string) => english,
  about: aboutEn,
  export: exportEn,
};

export type Texts = typeof en;
