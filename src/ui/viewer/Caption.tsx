import type { ReactNode } from "react";
import { texts } from "@/language/language";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import { hottest } from "@/store/attention/heat";
import type { LayerChoice } from "@/store/settings/settings";
import { keptRowCount, type Patch, patchesOf, rowCount } from "../overlayGeometry";
import { Sentence } from "../shared/Sentence";
import { placesOf } from "./patchWords";
import type { ViewerContent } from "./useViewerContent";

/** Describes the overlay in one sentence. */
export function Caption({ view }: { readonly view: ViewerContent }) {
  const { rows, layer, mode, attention } = view;
  if (!rows) return texts.viewer.caption.ask;
  const patches = patchesOf(rows.layout);
  if (attention)
    return (
      <WordCaption attention={attention} layer={layer} layout={rows.layout} patches={patches} />
    );
  if (mode === "heat") return <HeatCaption view={view} layout={rows.layout} patches={patches} />;
  return <KeptCaption view={view} rows={rows} />;
}

interface KeptProps {
  readonly view: ViewerContent;
  readonly rows: { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout };
}

function KeptCaption({ view: { share, layer, isPreview }, rows: { layers, layout } }: KeptProps) {
  const kept = Math.round(keptRowCount(layout, share ?? new Map()));
  const words = texts.viewer.caption;
  const some = <b className="num">{kept}</b>;
  const whole = <span className="num">{rowCount(layout)}</span>;
  if (layer === "all") {
    return <Sentence parts={words.keptAll<ReactNode>(layers.length, some, whole, isPreview)} />;
  }
  return <Sentence parts={words.kept<ReactNode>(layer + 1, some, whole, isPreview)} />;
}

interface HeatProps {
  readonly view: ViewerContent;
  readonly layout: ImageLayout;
  readonly patches: readonly Patch[];
}

function HeatCaption({ view: { heat, heatState, policy, layer }, layout, patches }: HeatProps) {
  const words = texts.viewer.caption;
  if (!heat) {
    switch (heatState) {
      case "unscored":
        return words.unscored(policy);
      case "pending":
        return words.scoresPending;
      default:
        return words.scoresMissing;
    }
  }
  const places = placesOf(hottest(heat.values, 3), patches, layout, 3);
  const where = places.length > 0 ? words.places(places) : words.noneHigher;
  return <Sentence parts={words.ranked<ReactNode>(policy, <b>{layersText(layer)}</b>, where)} />;
}

interface WordProps {
  readonly attention: NonNullable<ViewerContent["attention"]>;
  readonly layer: LayerChoice;
  readonly layout: ImageLayout;
  readonly patches: readonly Patch[];
}

function WordCaption({ attention: { text, light, strongest }, layer, layout, patches }: WordProps) {
  const words = texts.viewer.caption;
  const word = <b>“{text}”</b>;
  if (light.size === 0) return <Sentence parts={words.wordUnseen<ReactNode>(word)} />;
  const places = placesOf(strongest, patches, layout, 2);
  const where = places.length > 0 ? words.places(places) : words.noPatch;
  return <Sentence parts={words.word<ReactNode>(word, layersText(layer), where)} />;
}

/** Describes the outlines of the current word, for screen readers. */
export function MissedSentence({ view: { attention, rows } }: { readonly view: ViewerContent }) {
  const { text = "", missed = [] } = attention?.reference ?? {};
  if (!rows || missed.length === 0) return null;
  const places = placesOf(missed, patchesOf(rows.layout), rows.layout, 3);
  return texts.viewer.caption.missed(text, texts.viewer.caption.places(places));
}

function layersText(layer: LayerChoice): string {
  const words = texts.viewer.caption;
  return layer === "all" ? words.allLayers : words.layer(layer + 1);
}
