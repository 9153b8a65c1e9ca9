import { useId } from "react";
import { texts } from "@/language/language";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import { commonCounts, keptRowCount, keptShare, rowCount } from "../overlayGeometry";
import { useModel } from "../useApp";
import styles from "./Layers.module.css";

interface Props {
  readonly rows:
    | { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout }
    | undefined;
  readonly chosen: number | "all";
  readonly onChoose: (layer: number | "all") => void;
  readonly onHover: (layer: number | "all" | undefined) => void;
}

/**
 * Rows kept per layer as bars, which also choose the layer that the overlay shows. The filled part of a bar are
 * rows that at least half of the layers kept; the rest is this layer's own choice.
 */
export function LayerBars({ rows, chosen, onChoose, onHover }: Props) {
  const name = useId();
  const modelLayers = useModel((state) => (state.phase === "ready" ? state.info.layers : 8));
  const total = rows ? rowCount(rows.layout) : 0;
  const kept: readonly (number | undefined)[] = rows
    ? rows.layers.map((layer) => Math.round(keptRowCount(rows.layout, keptShare(layer))))
    : Array.from({ length: modelLayers }, () => undefined);
  const common = rows ? commonCounts(rows.layers, rows.layout) : [];
  const most = Math.max(1, ...kept.map((count) => count ?? 0));
  const words = texts.viewer.layers;
  const every = kept.length > 16 ? 4 : 1;

  return (
    <div className={styles.layers} role="radiogroup" aria-label={words.name} data-off={!rows}>
      <LayerChoice
        name={name}
        isDisabled={!rows}
        isChosen={chosen === "all" && rows !== undefined}
        text={words.all}
        mark={words.allMark}
        onChoose={() => onChoose("all")}
        onHover={(isIn) => onHover(isIn ? "all" : undefined)}
      >
        <span className={styles.stack}>
          {kept.slice(0, 8).map((count, layer) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its index
            <i key={layer} style={{ width: `${100 * ((count ?? most) / most)}%` }} />
          ))}
        </span>
      </LayerChoice>
      {kept.map((count, layer) => (
        <LayerChoice
          // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its index
          key={layer}
          name={name}
          isDisabled={!rows}
          isChosen={chosen === layer && rows !== undefined}
          text={
            count === undefined
              ? words.layer(layer + 1)
              : words.kept(layer + 1, count, total, common[layer] ?? 0)
          }
          mark={layer === 0 || (layer + 1) % every === 0 ? `${layer + 1}` : ""}
          onChoose={() => onChoose(layer)}
          onHover={(isIn) => onHover(isIn ? layer : undefined)}
        >
          <i
            className={styles.bar}
            style={{ height: count === undefined ? "3px" : `max(3px, ${(100 * count) / most}%)` }}
          >
            <i style={{ height: count ? `${(100 * (common[layer] ?? 0)) / count}%` : 0 }} />
          </i>
        </LayerChoice>
      ))}
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly isChosen: boolean;
  readonly text: string;
  readonly mark: string;
  readonly onChoose: () => void;
  readonly onHover: (isIn: boolean) => void;
  readonly children: React.ReactNode;
}

function LayerChoice({
  name,
  isDisabled,
  isChosen,
  text,
  mark,
  onChoose,
  onHover,
  children,
}: ChoiceProps) {
  return (
    <label
      className={styles.layer}
      onPointerEnter={(event) => event.pointerType === "mouse" && onHover(true)}
      onPointerLeave={() => onHover(false)}
    >
      <input
        type="radio"
        className="cover"
        name={name}
        aria-label={text}
        checked={isChosen}
        disabled={isDisabled}
        onChange={onChoose}
      />
      <span className={styles.column}>{children}</span>
      <span className={`num ${styles.mark}`} aria-hidden="true">
        {mark}
      </span>
    </label>
  );
}
