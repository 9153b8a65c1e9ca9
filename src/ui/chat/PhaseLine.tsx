import type { PhaseProgress, Run } from "@/store/conversation/conversation";
import { loadedBytes } from "@/store/engine/model";
import { formatMegabytes } from "@/text/format";
import { useModel } from "../useApp";
import styles from "./Chat.module.css";

type Live = Extract<Run, { phase: "running" | "queued" }>;

/** The current phase, while there is no text yet. */
export function PhaseLine({ run, label }: { readonly run: Live; readonly label?: string }) {
  return (
    <p className={styles.phases}>
      {label && (
        <>
          <b>{label}</b> ·{" "}
        </>
      )}
      {run.phase === "queued" ? <Waiting /> : <Phases run={run} />}
    </p>
  );
}

function Waiting() {
  const model = useModel((state) => state);
  switch (model.phase) {
    case "loading": {
      const { loaded, total } = loadedBytes(model);
      const bytes = `${formatMegabytes(loaded)} of ${formatMegabytes(total)}`;
      return <>waits for the model · {total > 0 ? bytes : "starting"}</>;
    }
    case "failed":
      return <>waits for the model, which could not be loaded</>;
    case "idle":
    case "ready":
      return <>next</>;
    default:
      return model satisfies never;
  }
}

function Phases({ run }: { readonly run: Extract<Run, { phase: "running" }> }) {
  if (run.tokens > 0) return <>answering · {run.tokens} tokens</>;
  return <>{phaseWords(run.phases).join(" · ") || "starting"}</>;
}

/** The phases so far; score and plan are shown as one. */
export function phaseWords(phases: readonly PhaseProgress[]): readonly string[] {
  const words = phases.flatMap(({ phase, done, total }) => {
    switch (phase) {
      case "vision":
        return ["encoding the image"];
      case "prefill":
        return [done < total ? `reading ${done}/${total}` : `read ${total}`];
      case "score":
      case "plan":
        return ["selecting rows"];
      case "compact":
        return ["freeing memory"];
      case "decode":
        return [];
      default:
        return phase satisfies never;
    }
  });
  return words.filter((word, index) => word !== words[index - 1]);
}
