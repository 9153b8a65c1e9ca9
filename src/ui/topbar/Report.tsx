import { useState } from "react";
import { texts } from "@/language/language";
import { useApp } from "../useApp";
import { download } from "./download";
import styles from "./TopBar.module.css";

/** Saves a report of a problem; what is someone's own is part of it only if ticked. */
export function Report() {
  const { load, settings, chat } = useApp();
  const [parts, setParts] = useState({ text: false, images: false });
  const words = texts.page.report;

  async function save() {
    const { browserFacts, problemReport } = await import("@/store/app/report");
    const sources = {
      model: load.store.getState(),
      settings: settings.getState(),
      conversation: chat.store.getState().conversation,
      devicesLost: load.lossCount(),
      browser: await browserFacts(navigator),
      now: Date.now(),
    };
    download(await problemReport(sources, parts), "application/json", "keepsight-report.json");
  }

  return (
    <section className={styles.report}>
      <p>{words.what}</p>
      {(["text", "images"] as const).map((part) => (
        <label key={part}>
          <input
            type="checkbox"
            checked={parts[part]}
            onChange={({ target }) => setParts({ ...parts, [part]: target.checked })}
          />
          {words[part]}
        </label>
      ))}
      <button type="button" className={styles.choose} onClick={() => void save()}>
        {words.save}
      </button>
    </section>
  );
}
