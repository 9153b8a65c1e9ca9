import { memo } from "react";
import type { Exchange } from "@/store/conversation";
import { AttemptView } from "./AttemptView";
import styles from "./Chat.module.css";

/** A question and its answers. */
export const ExchangeView = memo(function ExchangeView({ exchange }: { exchange: Exchange }) {
  return (
    <article className={styles.exchange} aria-label={exchange.question}>
      <p className={styles.question}>{exchange.question}</p>
      {exchange.attempts.map((attempt) => (
        <AttemptView
          key={attempt.id}
          exchange={exchange}
          attempt={attempt}
          isLatest={attempt === exchange.attempts.at(-1)}
        />
      ))}
    </article>
  );
});
