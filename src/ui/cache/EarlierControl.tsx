import { texts } from "@/language/language";
import { hasImagesBefore } from "@/store/conversation/conversationImages";
import { EARLIER_LIMITS } from "@/store/settings/settings";
import { useApp, useChat, useSettings } from "../useApp";
import styles from "./Cache.module.css";
import { NumberField } from "./NumberField";

/** What the next question leaves of earlier images, if there are any. */
export function EarlierControl() {
  const { settings } = useApp();
  const percent = useSettings((state) => state.earlierPercent);
  const hasEarlier = useChat(({ conversation }) => hasImagesBefore(conversation, undefined));
  if (!hasEarlier && percent === undefined) return null;
  const words = texts.cache.earlier;
  return (
    <div className={styles.cap}>
      <NumberField
        label={words.name}
        unit="%"
        help={words.help}
        limits={EARLIER_LIMITS}
        value={percent}
        empty={words.unchanged}
        onCommit={(value) => settings.choose({ earlierPercent: value })}
      />
    </div>
  );
}
