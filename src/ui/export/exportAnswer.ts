import { texts } from "@/language/language";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { hiddenLabel } from "@/store/conversation/occlusion";
import { agreesWithReference, lanesReference } from "@/store/conversation/verdict";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { agreementCounts } from "@/text/agreement";
import { formatBytes, formatCount, formatMs } from "@/text/format";
import { comparedParts } from "../chat/comparedParts";
import { rowCounters } from "../chat/rowCounters";
import { failureSentence } from "../shared/failureWords";
import { noticeSentences } from "../shared/noticeSentences";
import { samplingWords, settingsDetails, settingsLabel } from "../shared/settingsWords";
import { layerBars, memoryDrawing, timeDrawing } from "./drawings";
import { type Markup, type MarkupPart, markup } from "./markup";
import type { OverlayImage } from "./overlayImage";

export interface AnswerContext {
  readonly policies: readonly PolicyInfo[];
  readonly exchange: Exchange;
  /** Images under the overlay of an attempt, with their titles. */
  readonly overlays: (attempt: Attempt) => readonly (OverlayImage & { readonly title: string })[];
}

/** One answer with its measurements. */
export function answerMarkup(attempt: Attempt, context: AnswerContext): Markup {
  const agrees = agreesWithReference(context.exchange, attempt);
  const verdict =
    agrees !== undefined &&
    markup`<p class="${agrees ? "same" : "differs"}">${texts.export[agrees ? "same" : "differs"](
      attempt.hidden !== undefined,
    )}</p>`;
  return markup`<article class="answer">${words(attempt, undefined)}
${heading(attempt, context)}${verdict}${measured(attempt, context)}</article>`;
}

/** The lanes of a comparison side by side, words that the full cache's answer has not marked. */
export function lanesMarkup(lanes: readonly Attempt[], context: AnswerContext): Markup {
  const { full, answer: reference } = lanesReference(lanes);
  return markup`<div class="lanes">${lanes.map(
    (lane) => markup`<article class="lane">${heading(lane, context)}
<p class="verdict">${lane === full ? texts.chat.lanes.reference : agreement(lane, reference)}</p>
${words(lane, lane === full ? undefined : reference)}${measured(lane, context)}</article>`,
  )}</div>`;
}

function agreement({ run }: Attempt, reference: string | undefined): MarkupPart {
  if (run.phase !== "done" || reference === undefined || run.result.finish === "cancelled")
    return "";
  const { common, words: all } = agreementCounts(run.result.answer, reference);
  return markup`<span class="${common === all ? "same" : "differs"}">${texts.chat.lanes.agree(common, all)}</span>`;
}

function words({ run }: Attempt, reference: string | undefined): Markup {
  const text = run.phase === "done" ? run.result.answer : run.phase === "failed" ? run.text : "";
  if (text === "") {
    return run.phase === "done" ? markup`<p class="none">${texts.chat.answer.empty}</p>` : markup``;
  }
  if (reference === undefined) return markup`<p class="words" dir="auto">${text}</p>`;
  const parts = comparedParts(text, reference, false).map(({ text: part, differs }) =>
    differs
      ? markup`<mark><span class="unseen">${texts.chat.answer.differs}</span>${part}</mark>`
      : part,
  );
  return markup`<p class="words" dir="auto">${parts}</p>`;
}

function heading({ settings, hidden, run }: Attempt, { policies }: AnswerContext): Markup {
  const sampling = run.phase === "done" ? run.origin?.sampling : undefined;
  const details = [
    ...(hidden ? [hiddenLabel(hidden)] : []),
    ...settingsDetails(policies, settings),
    ...(sampling ? samplingWords(sampling) : []),
  ];
  return markup`<h3>${settingsLabel(policies, settings)}${
    details.length > 0 && markup`<small> ${texts.page.list(details)}</small>`
  }</h3>`;
}

function measured(attempt: Attempt, context: AnswerContext): Markup {
  const { run } = attempt;
  if (run.phase === "failed") return markup`<p class="failure">${failureSentence(run.failure)}</p>`;
  if (run.phase !== "done") return markup``;
  const { result, timings } = run;
  const { kvBytes, ms, finish, notices } = result;
  const rows = rowCounters(result);
  const names = texts.export;
  const facts: readonly (readonly string[])[] = [
    [names.before, formatBytes(kvBytes.before)],
    [names.after, formatBytes(kvBytes.after)],
    [names.end, formatBytes(kvBytes.end)],
    [names.full, formatBytes(kvBytes.full)],
    // An answer of one token has no decoding step.
    ...(result.tokenIds.length > 1
      ? [[names.perToken, formatMs(ms.decodePerToken.median)] as const]
      : []),
    [names.firstToken, formatMs(ms.firstToken)],
    [result.appended ? names.appended : names.prefilled, formatCount(result.promptTokens)],
    [names.cached, formatCount(rows.cached)],
    [names.read, formatCount(rows.readPerToken)],
  ];
  const remarks = [names.endings[finish], ...noticeSentences(notices)].filter(
    (line) => line !== "",
  );
  return markup`<dl class="facts">${facts.map(
    ([name = "", value = ""]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>
${remarks.map((line) => markup`<p class="remark">${line}</p>`)}
<div class="drawings">${context.overlays(attempt).map(overlayMarkup)}
${layerBars(result)}${timings && memoryDrawing(timings.kv)}${timings && timeDrawing(timings.tokenMs)}</div>`;
}

function overlayMarkup({
  url,
  width,
  height,
  kept,
  total,
  title,
}: OverlayImage & { title: string }) {
  const share = texts.export.kept(formatCount(kept), formatCount(total));
  return markup`<figure class="overlay"><figcaption>${share}</figcaption>
<img src="${url}" width="${width}" height="${height}" alt="${texts.export.keptOf(title, share)}"></figure>`;
}
