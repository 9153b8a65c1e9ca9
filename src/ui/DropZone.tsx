import { useEffect, useState } from "react";
import { texts } from "@/language/language";
import type { App } from "@/store/app/app";
import { givesWay } from "@/store/conversation/conversationImages";
import type { Given } from "@/store/images/imageSources";
import type { Target } from "@/store/images/viewerState";
import styles from "./DropZone.module.css";
import { type DroppedFolder, droppedFolder } from "./droppedFolder";
import { mayBringImages, readDrop, readPaste, type Transferred } from "./given";
import { useApp, useChat } from "./useApp";
import { chooseFiles } from "./viewer/adding";

/**
 * Accepts images dropped or pasted anywhere on the page. If there is a choice, a drag shows its target; a
 * paste adds to the next question.
 */
export function DropZone() {
  const app = useApp();
  const [over, setOver] = useState<Target>();
  const hasChoice = useChat((state) => !givesWay(state.conversation));
  const hasQuestions = useChat((state) => state.conversation.exchanges.length > 0);
  useTransfers(app, setOver);

  if (!over) return null;
  if (!hasChoice) {
    return (
      <section className={styles.over} aria-label={texts.page.drop.where}>
        {texts.page.drop.image}
      </section>
    );
  }
  return (
    <section className={styles.targets} aria-label={texts.page.drop.where}>
      <div className={styles.target} data-drop="new" data-over={over === "new"}>
        <b>{texts.page.drop.fresh}</b>
        <span>{hasQuestions ? texts.page.drop.freshAsked : texts.page.drop.freshFirst}</span>
      </div>
      <div className={styles.target} data-drop="add" data-over={over === "add"}>
        <b>{texts.page.drop.add}</b>
        <span>{texts.page.drop.added}</span>
      </div>
    </section>
  );
}

/** @param setOver receives the current drop target of a drag; undefined if none is over the page */
function useTransfers(app: App, setOver: (target: Target | undefined) => void): void {
  useEffect(() => {
    const take = ({ given, addresses }: Transferred, target: Target) => {
      const conversation = given.find(({ title }) => /\.json$/i.test(title));
      if (conversation) {
        void takeConversation(app, conversation);
        return true;
      }
      if (given.length + addresses.length === 0) return false;
      // The image is on the chat page, whatever page it was dropped on.
      location.hash = "#chat";
      if (given.length > 0) chooseFiles(app.viewer, given, target);
      else void app.viewer.chooseAddresses(addresses, target);
      return true;
    };
    const isOurs = ({ dataTransfer }: DragEvent) => mayBringImages(dataTransfer?.types ?? []);
    const over = (event: DragEvent) => {
      if (!isOurs(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
      setOver(targetOf(event));
    };
    const leave = (event: DragEvent) => {
      // Only leaving the window has no related target; moving between elements has one.
      if (event.relatedTarget === null) setOver(undefined);
    };
    const drop = (event: DragEvent) => {
      if (!isOurs(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(undefined);
      const folder = droppedFolder(event.dataTransfer);
      if (folder) void takeModel(app, folder);
      else take(readDrop(event.dataTransfer), targetOf(event));
    };
    const paste = (event: ClipboardEvent) => {
      if (!event.clipboardData || document.querySelector("dialog[open]")) return;
      if (take(readPaste(event.clipboardData, isField(event.target)), "add"))
        event.preventDefault();
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, [app, setOver]);
}

/** Opens an exported conversation; another file is refused where failures of images are shown. */
async function takeConversation({ library, viewer }: App, { blob, title }: Given): Promise<void> {
  const message = await library.take(new File([blob], title));
  if (message) viewer.refuse(message);
}

/** Loads a dropped model directory; another folder is refused where failures of images are shown. */
async function takeModel({ chat, models, viewer }: App, folder: DroppedFolder): Promise<void> {
  location.hash = "#chat";
  try {
    const files = await folder.files();
    if (chat.store.getState().running === undefined) await models.chooseFolder(folder.name, files);
    else viewer.refuse(texts.models.busy);
  } catch (error) {
    viewer.refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The half of the window under the pointer; a new conversation if there are no halves. */
function targetOf({ target }: Event): Target {
  const half = target instanceof Element ? target.closest<HTMLElement>("[data-drop]") : null;
  return half?.dataset.drop === "add" ? "add" : "new";
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, [contenteditable]");
}
