import { lazy, Suspense } from "react";
import { texts } from "@/language/language";
import { loadShare, loadWaitsFor, type ModelState } from "@/store/engine/model";
import { formatMegabytes, formatParameters } from "@/text/format";
import { loadProgressWords } from "../shared/loadWords";
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
  const words = texts.page.model;
  const word = {
    files: model.afterLoss ? words.loadingAgain : words.loading,
    kernels: words.preparing,
    selfTest: words.testing,
  }[loadWaitsFor(model)];
  return (
    <>
      <b>{word}</b>
      <span className="num">{loadProgressWords(model)}</span>
    </>
  );
}

function Progress({ model }: { readonly model: Loading }) {
  const share = loadShare(model);
  return (
    <>
      <progress className="unseen" aria-label={texts.page.model.loaded} value={share} max={1} />
      <i className={styles.progress} style={{ transform: `scaleX(${share})`, width: "100%" }} />
    </>
  );
}
