import { texts } from "@/language/language";
import { useModel } from "../useApp";
import { adapterName } from "./adapterName";
import styles from "./TopBar.module.css";

/** The adapter; for a software adapter, a warning about its times. */
export function AdapterChip() {
  const model = useModel((state) => state);
  if (model.phase === "failed" && model.failure.code === "noWebGpu") {
    return (
      <span className={`${styles.chip} ${styles.adapter}`}>
        <b>{texts.page.model.noWebGpu}</b>
      </span>
    );
  }
  if (model.phase !== "ready") return null;
  const { adapter } = model.info;
  return (
    <span className={`${styles.chip} ${styles.adapter}`}>
      WebGPU · <b>{adapterName(adapter)}</b>
      {adapter.isFallback && <span className={styles.warn}>{texts.page.model.software}</span>}
    </span>
  );
}
