import { useStore } from "zustand";
import { texts } from "@/language/language";
import { SWEPT, type SweepState, smallestSame } from "@/store/chat/sweep";
import { FULL } from "@/store/settings/settings";
import { formatBytes } from "@/text/format";
import { KEEP_STEPS, placeOfPercent } from "../keepScale";
import { failureSentence } from "../shared/failureWords";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings } from "../useApp";
import styles from "./Sweep.module.css";

/** Asks the last question at falling shares, and tells the smallest that changes nothing. */
export function SweepControl() {
  const { sweep } = useApp();
  const state = useStore(sweep.store);
  const last = useChat(({ conversation }) => conversation.exchanges.at(-1));
  const isRunning = useChat(({ running }) => running !== undefined);
  const isFull = useSettings(({ policy }) => policy === FULL);
  const words = texts.cache.sweep;
  const isSweeping = state.phase === "running";
  return (
    <div className={styles.sweep}>
      <button
        type="button"
        className={styles.button}
        title={words.help}
        disabled={!last || isFull || isRunning || isSweeping}
        onClick={() => last && void sweep.run(last)}
      >
        {words.button}
      </button>
      <p className={styles.outcome} role="status">
        {isSweeping && words.running(state.done, SWEPT.length)}
        {state.phase === "failed" && failureSentence(state.failure)}
        {state.phase === "done" && <Outcome state={state} />}
      </p>
      {state.phase === "done" && <Answers state={state} />}
    </div>
  );
}

type Done = Extract<SweepState, { phase: "done" }>;

function Outcome({ state: { steps, exchange } }: { readonly state: Done }) {
  const question = useChat(
    ({ conversation }) => conversation.exchanges.find(({ id }) => id === exchange)?.question ?? "",
  );
  const percent = smallestSame(steps);
  const words = texts.cache.sweep;
  return percent === 100 ? words.none(question) : words.smallest(question, percent);
}

/** The answer at each share, closed by default. */
function Answers({ state: { steps, settings } }: { readonly state: Done }) {
  const { policies } = useApp();
  return (
    <details className={styles.answers}>
      <summary>{texts.cache.sweep.answers}</summary>
      <ul>
        {steps.map(({ percent, answer, isSame, kvBytes }) => (
          <li key={percent} data-same={isSame}>
            <span className="num">
              {settingsLabel(policies, { ...settings, retention: percent / 100 })}
            </span>
            <span dir="auto">{answer || texts.chat.answer.laneEmpty}</span>
            <span className="num">{formatBytes(kvBytes)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The shares of the last sweep on the slider: filled where the answer was the full cache's. */
export function SweepMarks() {
  const { sweep } = useApp();
  const state = useStore(sweep.store);
  if (state.phase !== "running" && state.phase !== "done") return null;
  const steps = state.phase === "done" ? state.steps : [];
  const done = state.phase === "running" ? state.done : SWEPT.length;
  return (
    <span className={styles.marks} aria-hidden="true">
      {SWEPT.slice(0, done).map((percent) => (
        <i
          key={percent}
          data-same={steps.find((step) => step.percent === percent)?.isSame}
          style={{ left: `${(100 * placeOfPercent(percent)) / KEEP_STEPS}%` }}
        />
      ))}
    </span>
  );
}
