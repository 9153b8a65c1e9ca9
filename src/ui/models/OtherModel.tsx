import { useEffect } from "react";
import { texts } from "@/language/language";
import { otherModels } from "@/store/conversation/conversation";
import { loadedModel } from "@/store/engine/model";
import { useApp, useChat, useModel, useModels } from "../useApp";
import styles from "./Models.module.css";

/** Under answers of a model that is not loaded: how the loaded one reads them, and how to load the earlier one. */
export function OtherModel() {
  const { models } = useApp();
  const model = useModel(loadedModel);
  const conversation = useChat((state) => state.conversation);
  const others = model === undefined ? [] : otherModels(conversation, model);
  const isShown = others.length > 0;
  const isBusy = useModels((state) => state.phase !== "idle");
  useModels((state) => state.stored); // `resuming` depends on it
  useEffect(() => {
    if (isShown) void models.refresh();
  }, [isShown, models]);
  if (model === undefined || !isShown) return null;
  return (
    <div className={styles.earlier}>
      <p role="status">{texts.chat.otherModel(texts.page.list(others), model)}</p>
      {others.map((name) => {
        const resume = models.resuming(name);
        return (
          resume && (
            <button
              key={name}
              type="button"
              className={styles.link}
              disabled={isBusy}
              onClick={() => void resume()}
            >
              {texts.chat.loadAgain(name)}
            </button>
          )
        );
      })}
    </div>
  );
}
