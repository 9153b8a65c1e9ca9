import { useMemo, useState } from "react";
import { useStore } from "zustand/react";
import { useShallow } from "zustand/react/shallow";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import { type Heat, heatOf } from "@/store/attention/heat";
import {
  attentionOfWord,
  importanceOfImage,
  sinksOf,
  type WordAttention,
} from "@/store/attention/wordAttention";
import { type ShownRows, shownRows } from "@/store/chat/shownRows";
import type { ConversationImage } from "@/store/conversation/conversation";
import type { LayerChoice, OverlayMode } from "@/store/settings/settings";
import { keptShare, keptShareOfAll } from "../overlayGeometry";
import { policyLabel } from "../shared/settingsWords";
import { useApp, useChat, useSettings } from "../useApp";
import { NO_SINKS, NOTHING_HIDDEN, type Overlay, type Paint } from "./overlay";

/** Everything that the viewer shows about its image. */
export interface ViewerContent {
  readonly rows:
    | { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout }
    | undefined;
  readonly layer: LayerChoice;
  readonly mode: OverlayMode;
  readonly overlay: Overlay | undefined;
  readonly share: ReadonlyMap<number, number> | undefined;
  /** Name of the policy whose rows are shown. */
  readonly policy: string;
  readonly heat: Heat | undefined;
  /** Why there is no heat, if there is none. */
  readonly heatState: "pending" | "unscored" | "unrecorded";
  /** The current word and its attention. */
  readonly attention: WordAttention | undefined;
  readonly sinks: ReadonlySet<number>;
  /** Of the next settings, not of an answer. */
  readonly isPreview: boolean;
  /** Shows another layer while the pointer is over its bar. */
  readonly hoverLayer: (layer: LayerChoice | undefined) => void;
}

export function useViewerContent(image: ConversationImage | undefined): ViewerContent {
  const { preview: previews, policies } = useApp();
  const mode = useSettings((state) => state.overlay);
  const layer = useSettings((state) => state.layer);
  const [hover, setHover] = useState<{ readonly over: LayerChoice; readonly from: LayerChoice }>();
  const shown = useChat(useShallow((state) => flatRows(image && shownRows(state, image.id))));
  const isNewest = useChat((state) => state.shown === undefined);
  const preview = useStore(previews, (state) => state.preview);
  const isPreview = isNewest && preview !== undefined && shown.layout !== undefined;
  const layers = isPreview ? preview.layers : shown.layers;
  const { layout, result } = shown;
  // A layer chosen by key while the pointer rests on another bar is the one that is shown.
  const chosen = clampLayer(hover?.from === layer ? hover.over : layer, layers?.length);

  const share = useMemo(() => {
    if (!layers) return undefined;
    return chosen === "all" ? keptShareOfAll(layers) : keptShare(layers[chosen]!);
  }, [layers, chosen]);
  const heat = useHeat(shown, chosen);
  const attention = useWordAttention(chosen);
  const sinks = useSinks(shown, chosen);
  const hidden = shown.hidden?.image === image?.id ? shown.hidden : undefined;
  const overlay = useMemo((): Overlay | undefined => {
    const paint = paintOf(mode, share, heat, attention);
    const boxes = hidden?.patches.map(({ box }) => box) ?? NOTHING_HIDDEN;
    if (!paint && boxes.length === 0) return undefined;
    return { paint, sinks: attention?.sinks ?? sinks, hidden: boxes };
  }, [mode, share, heat, attention, sinks, hidden]);

  return {
    rows: useMemo(() => (layers && layout ? { layers, layout } : undefined), [layers, layout]),
    layer: chosen,
    mode,
    overlay,
    share,
    policy: shown.policy === undefined ? "" : policyLabel(policies, shown.policy),
    heat,
    heatState: !result ? "pending" : result.explanation ? "unscored" : "unrecorded",
    attention,
    sinks,
    isPreview,
    hoverLayer: (over) => setHover(over === undefined ? undefined : { over, from: layer }),
  };
}

/** Sinks of the answer whose rows are shown. */
function useSinks({ attemptId, result }: FlatRows, layer: LayerChoice): ReadonlySet<number> {
  const { chat } = useApp();
  return useMemo(() => {
    const { exchanges } = chat.store.getState().conversation;
    const attempts = result ? exchanges.flatMap((exchange) => exchange.attempts) : [];
    const attempt = attempts.find(({ id }) => id === attemptId);
    return attempt ? sinksOf(attempt, layer) : NO_SINKS;
  }, [chat, attemptId, result, layer]);
}

function useHeat({ attemptId, layout, result }: FlatRows, layer: LayerChoice): Heat | undefined {
  const { chat } = useApp();
  const importance = useMemo(() => {
    if (!attemptId || !layout || !result) return undefined;
    return importanceOfImage(chat.store.getState().conversation, attemptId, layout);
  }, [chat, attemptId, layout, result]);
  return useMemo(() => importance && heatOf(importance, layer), [importance, layer]);
}

/** Attention of the current word; its answer has ended, so nothing else of the chat matters. */
function useWordAttention(layer: LayerChoice): WordAttention | undefined {
  const { chat, attentionView } = useApp();
  const word = useStore(attentionView.store, (state) => state.word);
  return useMemo(
    () => word && attentionOfWord(chat.store.getState().conversation, word, layer),
    [chat, word, layer],
  );
}

function paintOf(
  mode: OverlayMode,
  share: ReadonlyMap<number, number> | undefined,
  heat: Heat | undefined,
  attention: WordAttention | undefined,
): Paint | undefined {
  if (attention) {
    return { kind: "word", light: attention.light, missed: new Set(attention.reference?.missed) };
  }
  if (mode === "heat") return heat && { kind: "heat", heat: heat.values };
  return mode === "kept" && share ? { kind: "kept", share } : undefined;
}

/** Flat, so that a shallow comparison sees when nothing changed. */
function flatRows(rows: ShownRows | undefined) {
  const run = rows?.attempt.run;
  return {
    layers: rows?.layers,
    layout: rows?.layout,
    attemptId: rows?.attempt.id,
    policy: rows?.attempt.settings.policy,
    hidden: rows?.attempt.hidden,
    result: run?.phase === "done" ? run.result : undefined,
  };
}

type FlatRows = ReturnType<typeof flatRows>;

function clampLayer(layer: LayerChoice, layers = 1): LayerChoice {
  return layer === "all" ? layer : Math.min(layer, layers - 1);
}
