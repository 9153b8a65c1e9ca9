import { texts } from "@/language/language";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { type Hidden, hiddenLabel } from "@/store/conversation/occlusion";
import { formatBytes, formatCount, formatMs, formatShare } from "@/text/format";
import { noticeSentences } from "../shared/noticeSentences";
import { samplingWords, settingsDetails, settingsLabel } from "../shared/settingsWords";
import { useApp } from "../useApp";
import styles from "./Answer.module.css";
import { cachedParts } from "./cachedParts";
import { rowCounters } from "./rowCounters";
import { doubtOf } from "./VerdictLine";

interface Props {
  readonly settings: CacheSettings;
  /** Sampling of the answer; absent in older records. */
  readonly sampling: Sampling | undefined;
  readonly result: TurnResult;
  readonly hidden: Hidden | undefined;
}

/** Memory and time of an answer in one line; everything that the engine measured below it. */
export function Facts({ settings, sampling, result, hidden }: Props) {
  const { policies } = useApp();
  const words = texts.chat.facts;
  const { kvBytes, ms, finish, tokenIds } = result;
  const bytes = formatBytes(kvBytes.end);
  const full = formatBytes(kvBytes.full);
  const changed = [
    ...settingsDetails(policies, settings),
    ...(sampling ? samplingWords(sampling) : []),
  ];
  return (
    <div className={styles.facts}>
      <p className={styles.factLine}>
        <b>{settingsLabel(policies, settings)}</b>
        {hidden && <b>{hiddenLabel(hidden)}</b>}
        {changed.length > 0 && <span>{texts.page.list(changed)}</span>}
        <span className="num" title={words.bytesHelp}>
          {bytes === full ? words.memory(bytes) : words.memoryOf(bytes, full)}
        </span>
        {tokenIds.length > 1 && (
          <span className="num" title={words.perTokenHelp}>
            {words.perToken(formatMs(ms.decodePerToken.median))}
          </span>
        )}
        {words.endings[finish] && <span>{words.endings[finish]}</span>}
      </p>
      <details className={styles.details}>
        <summary>
          {words.details}
          <CacheParts result={result} />
        </summary>
        <Details result={result} />
      </details>
    </div>
  );
}

/** What the bytes consist of, because a share of the image alone does not explain them. */
function CacheParts({ result }: { readonly result: TurnResult }) {
  const { imageRows, keptRows, otherRows } = cachedParts(result);
  const words = texts.chat.facts;
  if (imageRows === 0) return null;
  const share = formatShare(keptRows / imageRows);
  return (
    <span className={`num ${styles.parts}`}>{words.parts(share, formatCount(otherRows))}</span>
  );
}

function Details({ result }: { readonly result: TurnResult }) {
  const words = texts.chat.facts;
  const rows = rowCounters(result);
  const { reference } = result;
  const told = doubtOf(result);
  return (
    <>
      <p className={`num ${styles.rows}`}>
        <span>
          {result.appended
            ? words.appended(formatCount(result.promptTokens))
            : words.prefilled(formatCount(result.promptTokens))}
        </span>
        <span title={words.cachedHelp}>{words.rowsCached(formatCount(rows.cached))}</span>
        <span title={words.readHelp}>{words.read(formatCount(rows.readPerToken))}</span>
        <span>{words.firstToken(formatMs(result.ms.firstToken))}</span>
      </p>
      <p>{words.blocks}</p>
      <p className="num">{words.peak(formatBytes(result.kvBytes.peak))}</p>
      {reference && "result" in reference && (
        <p className="num">
          {words.reference[reference.source](
            formatBytes(reference.result.kvBytes.end),
            formatBytes(reference.peakBytes),
          )}
        </p>
      )}
      {noticeSentences(result.notices.filter((notice) => notice !== told)).map((sentence) => (
        <p key={sentence} className={styles.remark}>
          {sentence}
        </p>
      ))}
    </>
  );
}
