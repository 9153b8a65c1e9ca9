import { texts } from "@/language/language";
import type { LayerReport } from "@/protocol/result";
import { imagesShown } from "@/store/chat/shownRows";
import {
  type Attempt,
  attemptGroups,
  type ConversationImage,
  titleOf,
} from "@/store/conversation/conversation";
import type { Origin } from "@/store/conversation/origin";
import { dataUrl } from "@/store/library/exportJson";
import { type ConversationRecord, revive } from "@/store/library/records";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { heldRows } from "../overlayGeometry";
import tokens from "../tokens.css?inline";
import { adapterName } from "../topbar/adapterName";
import { type AnswerContext, answerMarkup, lanesMarkup } from "./exportAnswer";
import styles from "./exportPage.css?inline";
import { Markup, markup } from "./markup";
import { type OverlayImage, overlayImage } from "./overlayImage";

/** The exported file runs no script and fetches nothing. */
export const CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** A conversation as one HTML document that needs nothing else: no scripts, no network. */
export async function exportHtml(
  record: ConversationRecord,
  policies: readonly PolicyInfo[],
): Promise<string> {
  const conversation = revive(record);
  const { images, exchanges } = conversation;
  const urls = new Map(
    await Promise.all(images.map(async ({ id, blob }) => [id, await dataUrl(blob)] as const)),
  );
  const bitmaps = new Map(
    await Promise.all(
      images.map(async ({ id, blob }) => [id, await createImageBitmap(blob)] as const),
    ),
  );
  const overlays = (attempt: Attempt) => overlaysOf(attempt, images, bitmaps);
  const title = titleOf(conversation);
  const sections = exchanges.map((exchange) => {
    const context: AnswerContext = { policies, exchange, overlays };
    const shown = images.filter(({ id }) => exchange.images.includes(id));
    return markup`<section class="exchange">
${shown.map((image) => imageMarkup(image, urls.get(image.id) ?? ""))}
<h2 class="question" dir="auto">${exchange.question}</h2>
${attemptGroups(exchange).map((group) => {
  const [first] = group;
  if (first && first.comparison === undefined) return answerMarkup(first, context);
  return lanesMarkup(group, context);
})}</section>`;
  });
  for (const bitmap of bitmaps.values()) bitmap.close();
  return markup`<!doctype html>
<html lang="${texts.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<title>${title}</title>
<style>${Markup.trusted(tokens)}${Markup.trusted(styles)}</style>
</head>
<body>
<header><h1 dir="auto">${title}</h1>${headMarkup(record)}</header>
<main>${sections}</main>
<footer>${texts.export.footer}</footer>
</body>
</html>
`.html;
}

function headMarkup({ createdAt, exchanges }: ConversationRecord): Markup {
  const origins = exchanges.flatMap(({ attempts }) =>
    attempts.flatMap(({ run }) => (run.phase === "done" && run.origin ? [run.origin] : [])),
  );
  const unique = (name: (origin: Origin) => string) => [...new Set(origins.map(name))].join("; ");
  const adapters = unique((origin) => adapterName(origin));
  const names = texts.export;
  const versions = unique(({ versions: { keepsight = names.unknownVersion } }) => keepsight);
  const facts = [
    [
      names.date,
      new Date(createdAt).toLocaleString(texts.tag, { dateStyle: "long", timeStyle: "short" }),
    ],
    [
      names.model,
      unique(({ model, elementType, kvType }) => names.modelOf(model, elementType, kvType)),
    ],
    [names.adapter, adapters],
    ["Keepsight", versions],
  ].filter(([, value]) => value !== "");
  return markup`<dl class="facts">${facts.map(
    ([name = "", value = ""]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>${
    origins.some(({ isFallback }) => isFallback) && markup`<p class="remark">${names.software}</p>`
  }`;
}

function imageMarkup({ title, alt, width, height }: ConversationImage, url: string): Markup {
  return markup`<figure class="image"><img src="${url}" width="${width}" height="${height}" alt="${alt}"><figcaption>${title}</figcaption></figure>`;
}

/** An overlay for each image in an answer's cache, if the answer dropped anything. */
function overlaysOf(
  { run }: Attempt,
  images: readonly ConversationImage[],
  bitmaps: ReadonlyMap<string, ImageBitmap>,
): readonly (OverlayImage & { readonly title: string })[] {
  if (run.phase !== "done" || keepsAll(run.result.layers)) return [];
  return run.result.images.flatMap((layout) => {
    return imagesShown(layout).flatMap((image) => {
      const bitmap = bitmaps.get(image);
      const overlay = bitmap && overlayImage(bitmap, layout, run.result.layers);
      const title = images.find(({ id }) => id === image)?.title ?? "";
      return overlay ? [{ ...overlay, title }] : [];
    });
  });
}

function keepsAll(layers: readonly LayerReport[]): boolean {
  return layers.every((layer) => heldRows(layer) >= layer.rowsBefore);
}
