import { useShallow } from "zustand/react/shallow";
import { texts } from "@/language/language";
import { givesWay, waitingImages } from "@/store/conversation/conversationImages";
import { Failure } from "../shared/Failure";
import { useApp, useChat, useViewer, useViewerImage } from "../useApp";
import { FetchingLine } from "../viewer/FetchingLine";
import styles from "./Images.module.css";

/**
 * The images before the next question, each with a button to remove it, and the outcome of adding the
 * last ones. A single image that began the conversation is in the viewer and is not repeated here.
 */
export function WaitingImages() {
  const { viewer } = useApp();
  const waiting = useChat(useShallow((state) => waitingImages(state.conversation)));
  const isFirst = useChat((state) => state.conversation.exchanges.length === 0);
  const isSample = useChat((state) => givesWay(state.conversation));
  const current = useViewerImage();
  const isShown = waiting.length > (isFirst ? 1 : 0);
  return (
    <>
      {isShown && (
        <div className={styles.waiting}>
          <p className={styles.count}>{texts.chat.images.waiting(waiting.length)}</p>
          <ul className={styles.chips}>
            {waiting.map(({ id, url, title }) => (
              <li key={id} className={styles.chip} data-current={id === current?.id}>
                <button
                  type="button"
                  className={styles.show}
                  aria-label={texts.chat.images.show(title)}
                  title={title}
                  onClick={() => viewer.show(id)}
                >
                  <img src={url} alt="" />
                </button>
                {!isSample && (
                  <button
                    type="button"
                    className={styles.remove}
                    aria-label={texts.chat.images.removeOf(title)}
                    onClick={({ currentTarget: { form }, detail }) => {
                      viewer.remove(id);
                      // This button is gone; a key press goes on in the question. A tap opens no keyboard.
                      if (detail === 0) form?.querySelector("textarea")?.focus();
                    }}
                  >
                    {texts.chat.images.remove}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      <AddedState />
    </>
  );
}

function AddedState() {
  const { target, failure, notice, fetching } = useViewer((state) => state);
  if (target !== "add") return null;
  return (
    <>
      {failure && <Failure failure={failure} />}
      {fetching && <FetchingLine />}
      {notice && (
        <p className={styles.notice} role="status">
          {notice}
        </p>
      )}
    </>
  );
}
