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

const ENDINGS: Readonly<Record<TurnResult["finish"], string>> = {
  stop: "",
  cancelled: "stopped",
  length: "ended at the length limit",
  context: "ended because the context is full",
  memory: "ended because the memory is full",
};

/** Bytes, rows and times of an answer, as the engine measured them. */
export function Facts({ settings, sampling, result, agrees, hidden }: Props) {
  const { policies } = useApp();
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
        {details.length > 0 && <span>{details.join(", ")}</span>}
        <span className="num" title="KV cache at the end of the answer, of the full cache's size">
          {formatBytes(kvBytes.end)} <i>of {formatBytes(kvBytes.full)}</i>
        </span>
        <span className="num" title="Median over the answer's tokens">
          {formatMs(ms.decodePerToken.median)}/token
        </span>
        <span className="num">first token {formatMs(ms.firstToken)}</span>
        {agrees !== undefined && (
          <span className={agrees ? styles.same : styles.differs}>
            {agrees ? "same answer as" : "differs from"}{" "}
            {hidden ? "the whole image’s" : "the full cache"}
          </span>
        )}
        {hidden && agrees === undefined && result.finish !== "cancelled" && (
          <span title="The whole image was not prefilled for this question under these settings.">
            ask again to compare
          </span>
        )}
        {ENDINGS[result.finish] && <span>{ENDINGS[result.finish]}</span>}
      </p>
      <p className={`num ${styles.rows}`}>
        <span title="Summed over the layers, when the answer ended">
          rows held {formatCount(rows.held)}
        </span>
        <span title="Summed over the layers, mean over the answer's tokens">
          read per token {formatCount(rows.readPerToken)}
        </span>
        <span>
          {result.appended
            ? `${formatCount(result.promptTokens)} rows appended`
            : `${formatCount(result.layers[0]?.rowsBefore ?? result.promptTokens)} rows prefilled`}
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
