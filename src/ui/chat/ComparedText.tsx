import { comparedParts } from "./comparedParts";
import styles from "./Lanes.module.css";

interface Props {
  readonly text: string;
  readonly reference: string | undefined;
  readonly isStreaming: boolean;
}

/** An answer with the words that the full cache's answer does not have marked. */
export function ComparedText({ text, reference, isStreaming }: Props) {
  if (reference === undefined) return text;
  return comparedParts(text, reference, isStreaming).map(({ text: part, differs }, index) =>
    differs ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name than their place
      <mark key={index} className={styles.differing}>
        <span className="unseen">differs: </span>
        {part}
      </mark>
    ) : (
      part
    ),
  );
}
