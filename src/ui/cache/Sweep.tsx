import { useStore } from "zustand";
import { texts } from "@/language/language";
import { SWEPT, type SweepState, smallestSame } from "@/store/chat/sweep";
import { FULL } from "@/store/settings/settings";
import { formatBytes } from "@/text/format";
import { KEEP_STEPS, placeOfPercent } from "../keepScale";
import { failureSentence } from "../shared/failureWords";
import { Popup } from "../shared/Popup";
import { policyLabel, settingsLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings } from "../useApp";
import styles from "./Sweep.module.css";

/** The sweep of the conversation's last question; an earlier one's is over with the next question. */
function useSweep(): SweepState {
  const { sweep } = useApp();
  const state = useStore(sweep.store);
  const last = useChat(({ conversation }) => conversation.exchanges.at(-1)?.id);
  return "exchange" in state && state.exchange !== last ? { phase: "idle" } : state;
}

/** Asks the last question at falling shares, and tells the smallest that changes nothing. */
export function SweepControl() {
  const { sweep } = useApp();
  const state = useSweep();
  const last = useChat(({ conversation }) => conversation.exchanges.at(-1));
  const isRunning = useChat(({ running }) => running !== undefined);
  const isFull = useSettings(({ policy }) => policy === FULL);
  const words = texts.cache.sweep;
  const isSweeping = state.phase === "running";
  return (
    <div className={styles.sweep}>
      <div className={styles.line}>
        <button
          type="button"
          className={styles.button}
          title={words.help}
          disabled={!last || isFull || isRunning || isSweeping}
          onClick={() => last && void sweep.run(last)}
        >
          {words.button}
        </button>
        {state.phase === "done" && last && (
          <Popup label={words.answers} title={words.title(last.question)} className={styles.show}>
            {() => <Answers state={state} />}
          </Popup>
        )}
      </div>
      <p className={styles.outcome} role="status">
        {isSweeping && words.running(state.done, state.total)}
        {state.phase === "failed" && failureSentence(state.failure)}
        {state.phase === "done" && <Outcome state={state} />}
      </p>
    </div>
  );
}

type Done = Extract<SweepState, { phase: "done" }>;

function Outcome({ state: { swept, settings } }: { readonly state: Done }) {
  const { policies } = useApp();
  const percent = smallestSame(swept);
  const words = texts.cache.sweep;
  const policy = policyLabel(policies, settings.policy);
  return percent === 100 ? words.none(policy) : words.smallest(policy, percent);
}

/** The answer at each share. */
function Answers({ state: { swept, settings } }: { readonly state: Done }) {
  const { policies } = useApp();
  return (
    <ul className={styles.answers}>
      {swept.map(({ percent, answer, isSame, kvBytes }) => (
        <li key={percent} data-same={isSame}>
          <span className="num">
            {settingsLabel(policies, { ...settings, retention: percent / 100 })}
          </span>
          <span dir="auto">{answer || texts.chat.answer.laneEmpty}</span>
          <span className="num">{formatBytes(kvBytes)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The shares of the last sweep on the slider: filled where the answer was the full cache's. */
export function SweepMarks() {
  const state = useSweep();
  if (state.phase !== "done") return null;
  return (
    <span className={styles.marks} aria-hidden="true">
      {SWEPT.map((percent) => (
        <i
          key={percent}
          data-same={state.swept.find((share) => share.percent === percent)?.isSame}
          style={{ left: `${(100 * placeOfPercent(percent)) / KEEP_STEPS}%` }}
        />
      ))}
    </span>
  );
}
