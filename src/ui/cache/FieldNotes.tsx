import styles from "./Fields.module.css";

interface Props {
  readonly id: string;
  readonly help: string;
  /** Replaces the help where the value is wrong. */
  readonly problem: string;
  readonly isWrong: boolean;
}

/** The line below a field. Both have their room at once, so that what stands below stays under the pointer. */
export function FieldNotes({ id, help, problem, isWrong }: Props) {
  return (
    <p id={id} className={styles.notes} aria-live="polite">
      <span className={styles.help} data-off={isWrong}>
        {help}
      </span>
      <span className={styles.problem} data-off={!isWrong}>
        {problem}
      </span>
    </p>
  );
}
