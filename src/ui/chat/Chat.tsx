import { texts } from "@/language/language";
import styles from "./Chat.module.css";
import { Composer } from "./Composer";
import { Transcript } from "./Transcript";

export function Chat() {
  return (
    <section className={styles.chat} aria-label={texts.chat.name}>
      <Transcript />
      <Composer />
    </section>
  );
}
