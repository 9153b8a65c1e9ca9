import { useState } from "react";
import { texts } from "@/language/language";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { verdictOf } from "@/store/conversation/verdict";
import { CopyButton } from "../chat/Actions";
import { useApp, useViewerImage } from "../useApp";
import { shareLink } from "./shareLink";

interface Props {
  readonly exchange: Exchange;
  readonly attempt: Attempt;
}

/** A link that asks again, and an image of the answer beside the full cache's. */
export function ShareActions({ exchange, attempt }: Props) {
  const app = useApp();
  const image = useViewerImage();
  const [hasFailed, setFailed] = useState(false);
  const link = shareLink(app, exchange, attempt);
  const verdict = verdictOf(exchange, attempt, false);
  const isCompared = verdict?.kind === "same" || verdict?.kind === "differs";

  async function save() {
    const { saveComparison } = await import("./comparisonImage");
    const isSaved = image && (await saveComparison({ app, exchange, attempt, image }));
    setFailed(!isSaved);
  }

  return (
    <>
      {link && <CopyButton text={link} what="link" />}
      {isCompared && image && attempt.hidden === undefined && (
        <button type="button" title={texts.share.imageHelp} onClick={() => void save()}>
          {hasFailed ? texts.share.failed : texts.share.image}
        </button>
      )}
    </>
  );
}
