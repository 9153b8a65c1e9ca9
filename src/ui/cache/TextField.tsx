import { useEffect, useId, useState } from "react";
import { isValid, type TextSpec } from "@/compression/options";
import { texts } from "@/language/language";
import { FieldNotes } from "./FieldNotes";
import styles from "./Fields.module.css";

interface Props {
  readonly option: TextSpec;
  readonly value: string;
  readonly onCommit: (value: string) => void;
}

/** A text with a line of help. An entry counts once it matches the option's pattern. */
export function TextField({ option, value, onCommit }: Props) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const isWrong = !isValid(option, draft);
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{texts.policy(option.label)}</label>
      <input
        id={id}
        type="text"
        className="num"
        aria-describedby={`${id}-help`}
        aria-invalid={isWrong}
        autoComplete="off"
        value={draft}
        onChange={({ target }) => {
          setDraft(target.value);
          if (isValid(option, target.value)) onCommit(target.value);
        }}
      />
      <FieldNotes
        id={`${id}-help`}
        help={texts.policy(option.help)}
        problem={texts.cache.allowed.text(option.example)}
        isWrong={isWrong}
      />
    </div>
  );
}
