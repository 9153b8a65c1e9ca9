import type { ImageLayout, LayerReport } from "@/protocol/engine";
import { hottest } from "@/store/attention/heat";
import type { LayerChoice } from "@/store/settings/settings";
import { keptRowCount, type Patch, patchesOf, rowCount } from "../overlayGeometry";
import { placesOf } from "./patchWords";
import type { ViewerContent } from "./useViewerContent";

/** Describes the overlay in one sentence. */
export function Caption({ view }: { readonly view: ViewerContent }) {
  const { rows, layer, mode, attention } = view;
  if (!rows) return <>Ask, and see which patches each layer keeps</>;
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
  const verb = isPreview ? "would keep" : "kept";
  const whole = <span className="num">{rowCount(layout)}</span>;
  if (layer === "all") {
    return (
      <>
        {layers.length} layers {verb} <b className="num">{kept}</b> of {whole} patches on average
      </>
    );
  }
  return (
    <>
      Layer {layer + 1} {verb} <b className="num">{kept}</b> of {whole} patches
    </>
  );
}

interface HeatProps {
  readonly view: ViewerContent;
  readonly layout: ImageLayout;
  readonly patches: readonly Patch[];
}

function HeatCaption({ view: { heat, heatState, policy, layer }, layout, patches }: HeatProps) {
  if (!heat) {
    switch (heatState) {
      case "unscored":
        return <>{policy} ranks patches by no score</>;
      case "pending":
        return <>The scores come with the end of the answer</>;
      default:
        return <>No scores were recorded with this answer; ask again</>;
    }
  }
  const places = placesOf(hottest(heat.values, 3), patches, layout, 3);
  return (
    <>
      {policy} ranked highest in <b>{layersText(layer)}</b>:{" "}
      {places.length > 0 ? places.join("; ") : "no patch has a higher score than the others"}
    </>
  );
}

interface WordProps {
  readonly attention: NonNullable<ViewerContent["attention"]>;
  readonly layer: LayerChoice;
  readonly layout: ImageLayout;
  readonly patches: readonly Patch[];
}

function WordCaption({ attention: { text, light, strongest }, layer, layout, patches }: WordProps) {
  const word = <b>“{text}”</b>;
  if (light.size === 0) return <>No step of {word} was recorded, or it attended to no patch</>;
  const places = placesOf(strongest, patches, layout, 2);
  return (
    <>
      Attention, not proof: {word} in {layersText(layer)} attended most to{" "}
      {places.length > 0 ? places.join("; ") : "no patch of this image"}
    </>
  );
}

/** Describes the outlines of the current word, for screen readers. */
export function MissedSentence({ view: { attention, rows } }: { readonly view: ViewerContent }) {
  const { text = "", missed = [] } = attention?.reference ?? {};
  if (!rows || missed.length === 0) return null;
  const places = placesOf(missed, patchesOf(rows.layout), rows.layout, 3);
  return (
    <>
      . Dropped here, but attended by the full cache’s “{text}”: {places.join("; ")}
    </>
  );
}

function layersText(layer: LayerChoice): string {
  return layer === "all" ? "all layers" : `layer ${layer + 1}`;
}
