import { texts } from "@/language/language";
import type { PhaseProgress, Run } from "@/store/conversation/run";
import { loadedBytes, loadWaitsFor } from "@/store/engine/model";
import { loadProgressWords } from "../shared/loadWords";
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
  const words = texts.chat.phases;
  switch (model.phase) {
    case "loading": {
      const word = { files: "", kernels: words.preparing, selfTest: words.testing };
      const parts = [word[loadWaitsFor(model)], loadProgressWords(model)];
      const hasStarted = loadedBytes(model).loaded > 0;
      return words.waitsForModel(hasStarted ? parts.filter(Boolean).join(" · ") : words.starting);
    }
    case "failed":
      return words.waitsInVain;
    case "idle":
    case "ready":
      return words.next;
    default:
      return model satisfies never;
  }
}

function Phases({ run }: { readonly run: Extract<Run, { phase: "running" }> }) {
  if (run.tokens > 0) return texts.chat.phases.answering(run.tokens);
  return phaseWords(run.phases).join(" · ") || texts.chat.phases.starting;
}

/** The phases so far; score and plan are shown as one. */
function phaseWords(phases: readonly PhaseProgress[]): readonly string[] {
  const say = texts.chat.phases;
  const words = phases.flatMap(({ phase, done, total }) => {
    switch (phase) {
      case "vision":
        return [say.vision];
      case "prefill":
        return [done < total ? say.reading(done, total) : say.read(total)];
      case "score":
      case "plan":
        return [say.selecting];
      case "compact":
        return [say.freeing];
      case "decode":
      case "reference":
        return [];
      default:
        return phase satisfies never;
    }
  });
  return words.filter((word, index) => word !== words[index - 1]);
}
