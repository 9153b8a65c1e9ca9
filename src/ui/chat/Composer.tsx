import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { isAnswering } from "@/store/chat/chatState";
import { contextTokens, standingAttempt } from "@/store/conversation/conversation";
import { readsEnglishOnly } from "@/store/engine/model";
import { questionSettings, sameSettings } from "@/store/settings/settings";
import { formatBytes, formatCount } from "@/text/format";
import { openCacheSheet } from "../cache/cacheSheet";
import { settingsLabel } from "../shared/settingsWords";
import { shortcutOf } from "../shortcuts";
import { useApp, useCharts, useChat, useModel, useSettings, useViewerImage } from "../useApp";
import { AddMenu } from "../viewer/AddMenu";
import chatStyles from "./Chat.module.css";
import styles from "./Composer.module.css";
import { LanePicker } from "./LanePicker";
import { MAX_CHARACTERS } from "./limits";
import { WaitingImages } from "./WaitingImages";

export function Composer() {
  const app = useApp();
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const isRunning = useChat(isAnswering);
  const count = useChat((state) => state.conversation.images.length);
  const isComparing = useStore(app.comparison.store, (state) => state.isOn);
  const isTooLong = text.length > MAX_CHARACTERS;
  const canAsk = text.trim() !== "" && !isTooLong && !isRunning;
  useShortcuts(area);

  async function ask(event?: FormEvent) {
    event?.preventDefault();
    if (!canAsk) return;
    const question = text.trim();
    setText("");
    // One that was not sent comes back, before what was typed meanwhile.
    if (!(await app.ask(question))) setText((typed) => `${question}\n${typed}`.trimEnd());
  }

  function press(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void ask();
  }

  return (
    <div className={styles.compose}>
      <Suggestions isDraft={text !== ""} />
      <form className={styles.box} onSubmit={ask}>
        <WaitingImages />
        <textarea
          ref={area}
          className={styles.area}
          aria-label={texts.chat.composer.question}
          dir="auto"
          aria-describedby={isTooLong ? "too-long" : undefined}
          placeholder={
            count > 1 ? texts.chat.composer.askImages(count) : texts.chat.composer.askImage
          }
          rows={1}
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={press}
        />
        {isTooLong && (
          <p id="too-long" className={chatStyles.limit} role="alert">
            {texts.chat.composer.tooLong(formatCount(text.length), formatCount(MAX_CHARACTERS))}
          </p>
        )}
        <LanguageNote text={text} />
        {isComparing && <LanePicker />}
        <div className={styles.tools}>
          <AddMenu label={texts.chat.composer.addImage} className={styles.ghost} target="add" />
          <button
            type="button"
            className={styles.ghost}
            aria-pressed={isComparing}
            aria-keyshortcuts="c"
            title={texts.chat.composer.compareHelp}
            onClick={() => app.comparison.toggle()}
          >
            {texts.chat.composer.compare}
          </button>
          <NextSettings isComparing={isComparing} />
          <Context />
          {isRunning ? (
            <button type="button" className={styles.stop} onClick={() => app.chat.stop()}>
              {texts.chat.composer.stop}
            </button>
          ) : (
            <button type="submit" className={styles.send} disabled={!canAsk}>
              {texts.chat.composer.ask}
            </button>
          )}
        </div>
      </form>
    </div>
  );
}

/** Letters that are neither Latin nor the Greek ones of formulas. */
const FOREIGN = /[^\P{L}\p{Script=Latin}\p{Script=Greek}]/u;

/** What the embedded model reads, under a question that it cannot read. */
function LanguageNote({ text }: { readonly text: string }) {
  const isEnglish = useModel(readsEnglishOnly);
  if (!isEnglish || !FOREIGN.test(text)) return null;
  return (
    <p className={styles.note} role="status">
      {texts.chat.readsEnglish}
    </p>
  );
}

function useShortcuts(area: React.RefObject<HTMLTextAreaElement | null>) {
  const { chat, comparison } = useApp();
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent) => {
      const isTyping =
        event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      const isCovered =
        document.querySelector(":popover-open, dialog[open]") !== null ||
        !area.current?.checkVisibility();
      const shortcut = shortcutOf(event, { isTyping, isCovered });
      if (shortcut === undefined) return;
      if (shortcut === "stop") {
        if (chat.store.getState().running) chat.stop();
        return;
      }
      event.preventDefault();
      if (shortcut === "compare") comparison.toggle();
      area.current?.focus();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [area, chat, comparison]);
}

/** The sample's questions that were not asked yet. */
function Suggestions({ isDraft }: { readonly isDraft: boolean }) {
  const app = useApp();
  const samples = useStore(app.viewer.store, (state) => state.samples);
  const conversation = useChat((state) => state.conversation);
  const isRunning = useChat(isAnswering);
  const sampleId = useViewerImage()?.sampleId;
  const asked = new Set(conversation.exchanges.map(({ question }) => question));
  const questions = samples.find(({ id }) => id === sampleId)?.questions ?? [];
  return (
    <div className={styles.suggestions} data-off={isDraft}>
      {questions
        .filter((question) => !asked.has(question))
        .slice(0, 3)
        .map((question) => (
          <button
            key={question}
            type="button"
            className={styles.suggestion}
            disabled={isRunning}
            onClick={() => void app.ask(question)}
          >
            {question}
          </button>
        ))}
    </div>
  );
}

/** Names the next question's settings if they differ from the last one's. */
function NextSettings({ isComparing }: { readonly isComparing: boolean }) {
  const { policies, preview: previews } = useApp();
  const settings = useSettings((state) => state);
  const preview = useStore(previews, (state) => state.preview);
  const last = useChat(({ conversation }) => {
    const exchange = conversation.exchanges.at(-1);
    return exchange && (standingAttempt(exchange) ?? exchange.attempts.at(-1))?.settings;
  });
  const kv = useCharts((state) => state.reading?.pools.kv);
  const next = questionSettings(settings, policies);
  const label = settingsLabel(policies, next);
  const isChanged = !isComparing && last !== undefined && !sameSettings(last, next);
  return (
    <>
      <button
        type="button"
        className={styles.summary}
        aria-haspopup="dialog"
        onClick={openCacheSheet}
      >
        <span className="unseen">{texts.chat.composer.settings}</span>
        {isChanged ? texts.chat.composer.next(label) : label}
        {!isChanged && kv !== undefined && kv > 0 && ` · ${formatBytes(kv)}`}
      </button>
      <span className={styles.next} aria-live="polite">
        {isChanged && texts.chat.composer.next(label)}
        {isChanged && preview && ` · ${formatBytes(preview.kvBytes)}`}
      </span>
    </>
  );
}

function Context() {
  const tokens = useChat((state) => contextTokens(state.conversation));
  const length = useModel((state) => (state.phase === "ready" ? state.info.contextLength : 0));
  const price = useStore(useApp().imagePrice, (state) => state.price);
  if (length === 0) return <span className={styles.context} />;
  const words = texts.chat.composer;
  const added = price && words.imageHelp(formatCount(price.tokens), formatBytes(price.kvBytes));
  const help = added ? `${words.contextHelp}. ${added}` : words.contextHelp;
  return (
    <span className={`num ${styles.context}`} title={help}>
      <span className={styles.contextWord}>{words.context}</span>
      {tokens}
      {added && (
        <>
          {" "}
          <span aria-hidden="true">+ {price.tokens}</span>
          <span className="unseen">{added}</span>
        </>
      )}{" "}
      / {length}
    </span>
  );
}
