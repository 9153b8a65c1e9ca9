import { type KeyboardEvent, useEffect, useState } from "react";
import { texts } from "@/language/language";
import { clampPercent, type Scope } from "@/store/settings/settings";
import { KEEP_STEPS, KEEP_TICKS, percentOfPlace, placeOfPercent, stepPercent } from "../keepScale";
import { useApp, useSettings } from "../useApp";
import pane from "./Cache.module.css";
import styles from "./Keep.module.css";
import { SweepControl, SweepMarks } from "./Sweep";

const KEYS: Readonly<Record<string, 1 | -1>> = {
  ArrowLeft: 1,
  ArrowUp: 1,
  ArrowRight: -1,
  ArrowDown: -1,
};

interface Props {
  readonly isFull: boolean;
  readonly scope: Scope;
}

/** How much to keep: a slider whose scale spreads the small shares, and a number to type. */
export function KeepControl({ isFull, scope }: Props) {
  const { settings } = useApp();
  const chosen = useSettings((state) => state.keepPercent);
  const percent = isFull ? 100 : chosen;
  const set = (value: number) => settings.choose({ keepPercent: clampPercent(value) });
  const place = placeOfPercent(percent);
  const words = texts.cache.keep;
  const [isWrong, setWrong] = useState(false);

  function press(event: KeyboardEvent) {
    const direction = KEYS[event.key];
    const ends: Readonly<Record<string, number>> = { Home: 100, End: 1 };
    const next = direction ? stepPercent(percent, direction) : ends[event.key];
    if (next === undefined) return;
    event.preventDefault();
    set(next);
  }

  return (
    <div className={styles.keep} data-full={isFull}>
      <div className={pane.line}>
        <h2>
          <label htmlFor="keep">{words.name}</label>
        </h2>
        <span className={`num ${styles.percent}`}>
          <PercentField
            percent={percent}
            isDisabled={isFull}
            onCommit={set}
            isWrong={isWrong}
            onWrong={setWrong}
          />
          <span>{scope === "visual" ? words.ofVisual : words.ofPrompt}</span>
        </span>
      </div>
      <input
        id="keep"
        type="range"
        className={styles.slider}
        min={0}
        max={KEEP_STEPS}
        step={1}
        value={Math.round(place)}
        disabled={isFull}
        aria-valuetext={words.value(percent)}
        style={{ "--place": `${(100 * place) / KEEP_STEPS}%` } as React.CSSProperties}
        onChange={({ target }) => set(percentOfPlace(target.valueAsNumber))}
        onKeyDown={press}
      />
      <SweepMarks />
      <p id="keep-problem" className={styles.problem} aria-live="polite">
        {isWrong && words.problem}
      </p>
      <div className={`num ${styles.ticks}`} aria-hidden="true" data-off={isWrong}>
        {KEEP_TICKS.map((tick) => (
          <span key={tick} style={{ left: `${(100 * placeOfPercent(tick)) / KEEP_STEPS}%` }}>
            {tick}
          </span>
        ))}
      </div>
      <SweepControl />
    </div>
  );
}

interface FieldProps {
  readonly percent: number;
  readonly isDisabled: boolean;
  readonly onCommit: (percent: number) => void;
  readonly isWrong: boolean;
  /** Whether what is typed is no percentage. */
  readonly onWrong: (isWrong: boolean) => void;
}

/** A number field; an incomplete entry counts once it is from 1 to 100. */
function PercentField({ percent, isDisabled, onCommit, isWrong, onWrong }: FieldProps) {
  const [draft, setDraft] = useState(String(percent));
  useEffect(() => setDraft(String(percent)), [percent]);
  return (
    <input
      type="number"
      className={styles.number}
      aria-label={texts.cache.keep.percent}
      min={1}
      max={100}
      step={1}
      value={draft}
      disabled={isDisabled}
      aria-invalid={isWrong}
      aria-describedby="keep-problem"
      onChange={({ target }) => {
        const { value, validity, valueAsNumber } = target;
        setDraft(value);
        // An empty field is on the way to a number; a browser also reports text as empty.
        onWrong(!validity.valid);
        if (validity.valid && value !== "") onCommit(valueAsNumber);
      }}
      onBlur={() => {
        setDraft(String(percent));
        onWrong(false);
      }}
    />
  );
}
