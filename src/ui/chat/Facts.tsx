import { texts } from "@/language/language";
import type { CacheSettings, Sampling, TurnResult } from "@/protocol/engine";
import { type Hidden, hiddenLabel } from "@/store/conversation/occlusion";
import { formatBytes, formatCount, formatMs } from "@/text/format";
import { samplingWords, settingsDetails, settingsLabel } from "../shared/settingsWords";
import { useApp } from "../useApp";
import styles from "./Chat.module.css";
import { rowCounters } from "./rowCounters";

interface Props {
  readonly settings: CacheSettings;
  /** Sampling of the answer; absent in older records. */
  readonly sampling: Sampling | undefined;
  readonly result: TurnResult;
  readonly agrees: boolean | undefined;
  readonly hidden: Hidden | undefined;
}

/** Bytes, rows and times of an answer, as the engine measured them. */
export function Facts({ settings, sampling, result, agrees, hidden }: Props) {
  const { policies } = useApp();
  const words = texts.chat.facts;
  const { kvBytes, ms } = result;
  const rows = rowCounters(result);
  const details = [
    ...settingsDetails(policies, settings),
    ...(sampling ? samplingWords(sampling) : []),
  ];
  return (
    <div className={styles.facts}>
      <p className={styles.factLine}>
        <b>{settingsLabel(policies, settings)}</b>
        {hidden && <b>{hiddenLabel(hidden)}</b>}
        {details.length > 0 && <span>{texts.page.list(details)}</span>}
        <span className="num" title={words.bytesHelp}>
          {formatBytes(kvBytes.end)} <i>{words.ofBytes(formatBytes(kvBytes.full))}</i>
        </span>
        <span className="num" title={words.perTokenHelp}>
          {words.perToken(formatMs(ms.decodePerToken.median))}
        </span>
        <span className="num">{words.firstToken(formatMs(ms.firstToken))}</span>
        {agrees !== undefined && (
          <span className={agrees ? styles.same : styles.differs}>
            {agrees ? words.same(hidden !== undefined) : words.differs(hidden !== undefined)}
          </span>
        )}
        {hidden && agrees === undefined && result.finish !== "cancelled" && (
          <span title={words.askToCompareHelp}>{words.askToCompare}</span>
        )}
        {words.endings[result.finish] && <span>{words.endings[result.finish]}</span>}
      </p>
      <p className={`num ${styles.rows}`}>
        <span title={words.heldHelp}>{words.held(formatCount(rows.held))}</span>
        <span title={words.readHelp}>{words.read(formatCount(rows.readPerToken))}</span>
        <span>
          {result.appended
            ? words.appended(formatCount(result.promptTokens))
            : words.prefilled(formatCount(result.layers[0]?.rowsBefore ?? result.promptTokens))}
        </span>
      </p>
      {result.notices.map((notice) => (
        <p key={notice} className={styles.remark}>
          {notice}
        </p>
      ))}
    </div>
  );
}
