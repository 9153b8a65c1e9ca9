import { texts } from "@/language/language";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { verdictOf } from "@/store/conversation/verdict";
import { copyText, SwapLabel, useSaid } from "../shared/Copy";
import { Menu } from "../shared/Menu";
import { useApp, useViewerImage } from "../useApp";
import { shareLink } from "./shareLink";

interface Props {
  readonly exchange: Exchange;
  readonly attempt: Attempt;
}

/** A menu: a link that asks again, and an image of the answer beside the full cache's. */
export function ShareActions({ exchange, attempt }: Props) {
  const app = useApp();
  const image = useViewerImage();
  const link = shareLink(app, exchange, attempt);
  const [said, say] = useSaid();
  const verdict = verdictOf(exchange, attempt, false);
  const isCompared = verdict?.kind === "same" || verdict?.kind === "differs";

  async function save() {
    const { saveComparison } = await import("./comparisonImage");
    const isSaved = image && (await saveComparison({ app, exchange, attempt, image }));
    if (!isSaved) say("failed");
  }

  const words = texts.share;
  const items = [];
  if (link) {
    const onPick = async () => say(await copyText(link));
    items.push({ key: "link", label: words.link, help: words.linkHelp, onPick });
  }
  if (isCompared && image && attempt.hidden === undefined) {
    items.push({ key: "image", label: words.image, help: words.imageHelp, onPick: save });
  }
  if (items.length === 0) return null;
  const labels = { ...texts.chat.copy, copy: words.open };
  return <Menu label={<SwapLabel words={labels} shown={said ?? "copy"} />} items={items} />;
}
