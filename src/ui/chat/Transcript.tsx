import { useEffect, useLayoutEffect, useRef } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { titleOf } from "@/store/conversation/conversation";
import { readsEnglishOnly } from "@/store/engine/model";
import { OtherModel } from "../models/OtherModel";
import { Failure } from "../shared/Failure";
import { withAction } from "../shared/failureWords";
import { useApp, useChat, useImageWords, useModel, useViewerImage } from "../useApp";
import { Announcer } from "./Announcer";
import styles from "./Chat.module.css";
import { ExchangeView } from "./ExchangeView";
import { holdLess } from "./useFailureAction";

/** Distance from the end, in pixels, within which the transcript follows what is added. */
const FOLLOW_PX = 80;

export function Transcript() {
  const log = useRef<HTMLElement>(null);
  const { load, settings } = useApp();
  const conversation = useChat((state) => state.conversation);
  const left = useChat((state) => state.left);
  const failure = useModel((state) => (state.phase === "failed" ? state.failure : undefined));
  useFollow(log, conversation.id, conversation.exchanges);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region is reached by keyboard
    <section ref={log} className={styles.log} tabIndex={0} aria-label={texts.chat.conversation}>
      <div className={styles.column}>
        {left && <p className={styles.notice}>{texts.chat.left(titleOf(left))}</p>}
        <LibraryNotice />
        {conversation.exchanges.length === 0 && !failure && <Welcome />}
        {conversation.exchanges.map((exchange) => (
          <ExchangeView key={exchange.id} exchange={exchange} />
        ))}
        <OtherModel />
        <NotStored />
        <Recovery />
        {failure && (
          <Failure
            failure={withAction(failure)}
            onAct={(action) =>
              action === "smallerWeights" ? holdLess(settings) : void load.retry()
            }
          />
        )}
      </div>
      <Announcer />
    </section>
  );
}

/** A notice about the conversation that was opened last, or its failure. */
function LibraryNotice() {
  const { library } = useApp();
  const notice = useStore(library.store, (state) => state.notice);
  if (!notice) return null;
  return (
    <p className={styles.notice} role="status">
      {notice}
    </p>
  );
}

/** After a lost device the page loads the model again automatically and shows a notice. */
function Recovery() {
  const isRecovering = useModel((state) => state.phase === "loading" && state.afterLoss);
  if (!isRecovering) return null;
  return (
    <p className={styles.notice} role="status">
      {texts.chat.recovering}
    </p>
  );
}

/** Shown if the conversation could not be stored. */
function NotStored() {
  const { library } = useApp();
  const failure = useStore(library.archive.store, (state) => state.failure);
  if (!failure) return null;
  return (
    <p className={styles.limit} role="alert">
      {failure}
    </p>
  );
}

function Welcome() {
  const count = useChat((state) => state.conversation.images.length);
  const image = useViewerImage();
  const wordsOf = useImageWords();
  const isEnglish = useModel(readsEnglishOnly);
  return (
    <div className={styles.welcome}>
      <p className={styles.lead}>{leadOf(count, image && wordsOf(image).title)}</p>
      <p>{texts.chat.welcome.how}</p>
      {isEnglish && <p>{texts.chat.readsEnglish}</p>}
    </div>
  );
}

function leadOf(count: number, title: string | undefined): string {
  const { about, aboutImage, aboutImages } = texts.chat.welcome;
  if (count > 1) return aboutImages(count);
  return title ? about(title) : aboutImage;
}

/** Follows the end of the transcript, unless the user scrolled away from it. */
function useFollow(log: React.RefObject<HTMLElement | null>, id: string, content: unknown) {
  const follows = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation starts at its end
  useEffect(() => {
    follows.current = true;
    const element = log.current;
    if (!element) return;
    const note = () => {
      const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
      follows.current = rest < FOLLOW_PX;
    };
    element.addEventListener("scroll", note, { passive: true });
    return () => element.removeEventListener("scroll", note);
  }, [log, id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs whenever something was added
  useLayoutEffect(() => {
    const element = log.current;
    if (!element || !follows.current) return;
    const scrolls = element.scrollHeight > element.clientHeight + 1;
    if (scrolls) element.scrollTop = element.scrollHeight;
  }, [log, content]);

  // If the page itself scrolls, it scrolls to an answer once, when the answer begins.
  const running = useChat((state) => state.running);
  useEffect(() => {
    const element = log.current;
    if (!running || !element || element.scrollHeight > element.clientHeight + 1) return;
    element.querySelector("[data-live]")?.scrollIntoView({ block: "nearest" });
  }, [log, running]);
}
