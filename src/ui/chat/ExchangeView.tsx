import { memo } from "react";
import { attemptGroups, type Exchange } from "@/store/conversation/conversation";
import { useTexts } from "../useApp";
import { AttemptView } from "./AttemptView";
import styles from "./Chat.module.css";
import { ExchangeImages } from "./ExchangeImages";
import { LanesView } from "./LanesView";
import { Question } from "./Question";

/** A question and its answers. */
export const ExchangeView = memo(function ExchangeView({ exchange }: { exchange: Exchange }) {
  useTexts();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form controls
    <div className={styles.exchange} role="group" aria-label={exchange.question}>
      <ExchangeImages exchange={exchange} />
      <Question exchange={exchange} />
      {attemptGroups(exchange).map((group) => {
        const attempt = group[0]!;
        return attempt.comparison === undefined ? (
          <AttemptView key={attempt.id} exchange={exchange} attempt={attempt} />
        ) : (
          <LanesView key={attempt.id} exchange={exchange} lanes={group} />
        );
      })}
    </div>
  );
});
