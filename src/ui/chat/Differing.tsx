import type { ReactNode } from "react";
import styles from "./Lanes.module.css";

/** Words that the full cache's answer does not have. */
export function Differing({ children }: { readonly children: ReactNode }) {
  return (
    <mark className={styles.differing}>
      <span className="unseen">differs: </span>
      {children}
    </mark>
  );
}
