import { texts } from "@/language/language";
import type { ConversationImage, Exchange } from "@/store/conversation/conversation";
import { useApp, useChat, useViewerImage } from "../useApp";
import styles from "./Images.module.css";

/** The images of a question, if the conversation has several. */
export function ExchangeImages({ exchange }: { readonly exchange: Exchange }) {
  const { viewer } = useApp();
  const all = useChat((state) => state.conversation.images);
  const current = useViewerImage();
  if (all.length < 2 || exchange.images.length === 0) return null;
  const images = exchange.images.flatMap((id): readonly ConversationImage[] =>
    all.filter((image) => image.id === id),
  );
  return (
    <ul className={styles.asked} aria-label={texts.chat.images.asked}>
      {images.map(({ id, url, title }) => (
        <li key={id} className={styles.chip} data-current={id === current?.id}>
          <button
            type="button"
            className={styles.show}
            aria-label={texts.chat.images.show(title)}
            aria-pressed={id === current?.id}
            title={title}
            onClick={() => viewer.show(id)}
          >
            <img src={url} alt="" />
          </button>
        </li>
      ))}
    </ul>
  );
}
