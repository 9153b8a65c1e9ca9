import { texts } from "@/language/language";
import type { Run, StageProgress } from "@/store/conversation/run";
import { loadedBytes, loadWaitsFor } from "@/store/engine/model";
import { loadProgressWords } from "../shared/loadWords";
import { useModel } from "../useApp";
import styles from "./Answer.module.css";

type Live = Extract<Run, { phase: "running" | "queued" }>;

/** The current stage, while there is no text yet. */
export function StageLine({ run, label }: { readonly run: Live; readonly label?: string }) {
  return (
    <p className={styles.stages}>
      {label && (
        <>
          <b>{label}</b> ·{" "}
        </>
      )}
      {run.phase === "queued" ? <Waiting /> : <Stages run={run} />}
    </p>
  );
}

function Waiting() {
  const model = useModel((state) => state);
  const words = texts.chat.stages;
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

function Stages({ run }: { readonly run: Extract<Run, { phase: "running" }> }) {
  if (run.tokens > 0) return texts.chat.stages.answering(run.tokens);
  return stageWords(run.stages).join(" · ") || texts.chat.stages.starting;
}

/** The stages so far; score and plan are shown as one. */
function stageWords(stages: readonly StageProgress[]): readonly string[] {
  const say = texts.chat.stages;
  const words = stages.flatMap(({ stage, done, total }) => {
    switch (stage) {
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
        return stage satisfies never;
    }
  });
  return words.filter((word, index) => word !== words[index - 1]);
}
