import type { Texts } from "../en/en";
import { aboutZh } from "./about";
import { cacheZh } from "./cache";
import { chartsZh } from "./charts";
import { chatZh } from "./chat";
import { documentsZh } from "./documents";
import { exportZh } from "./export";
import { failuresZh } from "./failures";
import { libraryZh } from "./library";
import { modelsZh } from "./models";
import { noticesZh } from "./notices";
import { pageZh } from "./page";
import { policiesZh } from "./policies";
import { shareZh } from "./share";
import { viewerZh } from "./viewer";

/** All texts of the page in Simplified Chinese. */
export const zh: Texts = {
  tag: "zh-CN",
  page: pageZh,
  models: modelsZh,
  chat: chatZh,
  cache: cacheZh,
  viewer: viewerZh,
  charts: chartsZh,
  share: shareZh,
  library: libraryZh,
  documents: documentsZh,
  failures: failuresZh,
  notices: noticesZh,
  policy: (english) => policiesZh[english] ?? english,
  about: aboutZh,
  export: exportZh,
};
