import { useEffect, useId, useState } from "react";
import { isWithin, type NumberLimits } from "@/compression/options";
import { texts } from "@/language/language";
import { FieldNotes } from "./FieldNotes";
import styles from "./Fields.module.css";

interface Props {
  readonly label: string;
  readonly unit?: string;
  readonly help: string;
  readonly limits: NumberLimits;
  /** Undefined if the field may be empty, and is. */
  readonly value: number | undefined;
  /** What an empty field means; without it a field cannot be empty. */
  readonly empty?: string;
  /** Replaces the help: why the value was refused. */
  readonly problem?: string | undefined;
  readonly onCommit: (value: number | undefined) => void;
}

/** A number with a line of help. An incomplete entry counts once it is valid. */
export function NumberField(props: Props) {
  const { label, unit, help, limits, value, empty, problem, onCommit } = props;
  const id = useId();
  const [draft, setDraft] = useState(show(value));
  // The text that is being typed stays: "0." on the way to "0.5" is not replaced by "0".
  useEffect(
    () => setDraft((typed) => (typed !== "" && Number(typed) === value ? typed : show(value))),
    [value],
  );
  const isEmpty = draft.trim() === "";
  const isRight = isEmpty ? empty !== undefined : isWithin(Number(draft), limits);
  const sentence = isRight ? problem : rule(limits, empty);
  const isWrong = sentence !== undefined;

  function change(text: string) {
    setDraft(text);
    if (text.trim() === "") {
      if (empty !== undefined) onCommit(undefined);
    } else if (isWithin(Number(text), limits)) {
      onCommit(Number(text));
    }
  }

  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <span className={styles.measured}>
        <input
          id={id}
          type="text"
          inputMode={limits.integer ? "numeric" : "decimal"}
          className="num"
          aria-describedby={`${id}-help`}
          aria-invalid={isWrong}
          placeholder={empty}
          autoComplete="off"
          value={draft}
          onChange={({ target }) => change(target.value)}
          onBlur={() => setDraft(show(value))}
        />
        {unit && <span className={styles.unit}>{unit}</span>}
      </span>
      <FieldNotes
        id={`${id}-help`}
        help={help}
        problem={sentence ?? rule(limits, empty)}
        isWrong={isWrong}
      />
    </div>
  );
}

function show(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}

function rule({ min, max, integer, odd }: NumberLimits, empty: string | undefined): string {
  const words = texts.cache.allowed;
  const kind = odd ? words.odd : integer ? words.whole : words.any;
  return words.rule(kind, String(min), String(max), empty);
}
