import { memo } from "react";
import type { Exchange } from "@/store/conversation";
import { AttemptView } from "./AttemptView";
import styles from "./Chat.module.css";

/** A question and its answers. */
export const ExchangeView = memo(function ExchangeView({ exchange }: { exchange: Exchange }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form controls
    <div className={styles.exchange} role="group" aria-label={exchange.question}>
      <p className={styles.question}>{exchange.question}</p>
      {exchange.attempts.map((attempt) => (
        <AttemptView key={attempt.id} exchange={exchange} attempt={attempt} />
      ))}
    </div>
  );
});
