import type { Exchange, Picture } from "@/store/conversation/conversation";
import { useApp, useChat, useViewerPicture } from "../useApp";
import styles from "./Pictures.module.css";

/** The pictures that a question is about, where the conversation has several to tell apart. */
export function ExchangePictures({ exchange }: { readonly exchange: Exchange }) {
  const { pictures: viewer } = useApp();
  const all = useChat((state) => state.conversation.pictures);
  const current = useViewerPicture();
  if (all.length < 2 || exchange.pictures.length === 0) return null;
  const pictures = exchange.pictures.flatMap((id): readonly Picture[] =>
    all.filter((picture) => picture.id === id),
  );
  return (
    <ul className={styles.asked} aria-label="Images asked about">
      {pictures.map(({ id, url, title }) => (
        <li key={id} className={styles.chip} data-current={id === current?.id}>
          <button
            type="button"
            className={styles.show}
            aria-label={`Show ${title}`}
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
