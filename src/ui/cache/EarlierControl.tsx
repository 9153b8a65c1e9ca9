import { texts } from "@/language/language";
import { hasImagesBefore } from "@/store/conversation/conversationImages";
import { EARLIER_LIMITS } from "@/store/settings/settings";
import { useApp, useChat, useSettings } from "../useApp";
import styles from "./Fields.module.css";
import { NumberField } from "./NumberField";

/** What the next question leaves of earlier images, in a conversation of several. */
export function EarlierControl() {
  const { settings } = useApp();
  const percent = useSettings((state) => state.earlierPercent);
  const isOffered = useChat(
    ({ conversation }) =>
      conversation.images.length > 1 && hasImagesBefore(conversation, undefined),
  );
  if (!isOffered && percent === undefined) return null;
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
