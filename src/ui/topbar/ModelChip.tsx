import { lazy, Suspense } from "react";
import { texts } from "@/language/language";
import { loadedBytes, type ModelState } from "@/store/engine/model";
import { formatMegabytes, formatParameters } from "@/text/format";
import { useApp, useModel, useModels } from "../useApp";
import { DeviceSheet } from "./DeviceSheet";
import styles from "./TopBar.module.css";

const ModelsDialog = lazy(() => import("../models/ModelsDialog"));

const SHEET = "device-sheet";

/** The model: its progress while it loads, then its size; a button opens its facts. */
export function ModelChip() {
  const model = useModel((state) => state);
  const { models } = useApp();
  const isChoosing = useModels((state) => state.isOpen);
  return (
    <>
      <button type="button" className={styles.chip} popoverTarget={SHEET}>
        <i className={styles.dot} data-phase={model.phase} />
        <span className={styles.text}>
          <ChipText model={model} />
        </span>
        {model.phase === "loading" && <Progress model={model} />}
      </button>
      <DeviceSheet id={SHEET} model={model} onChoose={models.open} />
      {isChoosing && (
        <Suspense>
          <ModelsDialog />
        </Suspense>
      )}
    </>
  );
}

function ChipText({ model }: { readonly model: ModelState }) {
  switch (model.phase) {
    case "idle":
      return <span>{texts.page.model.starting}</span>;
    case "loading":
      return <LoadingText model={model} />;
    case "failed":
      return <b>{texts.page.model.notLoaded}</b>;
    case "ready": {
      const { id, parameters, elementType, bytes } = model.info;
      const size = formatMegabytes(bytes, 0);
      return (
        <>
          <b>{id.replace(/\/$/, "").split("/").at(-1)}</b>
          <span className={`num ${styles.wide}`}>
            {formatParameters(parameters)} · {elementType} · {size}
          </span>
        </>
      );
    }
    default:
      return model satisfies never;
  }
}

type Loading = Extract<ModelState, { phase: "loading" }>;

function LoadingText({ model }: { readonly model: Loading }) {
  const { loaded } = loadedBytes(model);
  const words = texts.page.model;
  const word = {
    download: model.afterLoss ? words.loadingAgain : words.loading,
    compile: words.compiling,
    selfTest: words.testing,
  }[model.step];
  return (
    <>
      <b>{word}</b>
      <span className="num">{formatMegabytes(loaded)}</span>
    </>
  );
}

function Progress({ model }: { readonly model: Loading }) {
  const { loaded, total } = loadedBytes(model);
  const share = total > 0 ? loaded / total : 0;
  return (
    <>
      <progress className="unseen" aria-label={texts.page.model.loaded} value={share} max={1} />
      <i className={styles.progress} style={{ transform: `scaleX(${share})`, width: "100%" }} />
    </>
  );
}
