import type { ReactNode } from "react";
import { texts } from "@/language/language";
import styles from "./Lanes.module.css";

/** Words that the full cache's answer does not have. */
export function Differing({ children }: { readonly children: ReactNode }) {
  return (
    <mark className={styles.differing}>
      <span className="unseen">{texts.chat.answer.differs}</span>
      {children}
    </mark>
  );
}
