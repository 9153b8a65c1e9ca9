import type { ReactNode } from "react";
import { texts } from "@/language/language";
import type { ModelState } from "@/store/engine/model";
import {
  formatBytes,
  formatCount,
  formatMegabytes,
  formatMs,
  formatParameters,
} from "@/text/format";
import { noticeSentences } from "../shared/noticeSentences";
import { adapterName } from "./adapterName";
import { Report } from "./Report";
import styles from "./TopBar.module.css";

interface Props {
  readonly id: string;
  readonly model: ModelState;
  /** Opens the list of models. */
  readonly onChoose: () => void;
}

/** Facts about the model and the device, behind the model chip. */
export function DeviceSheet({ id, model, onChoose }: Props) {
  return (
    <div id={id} popover="auto" className={styles.sheet}>
      <button
        type="button"
        className={styles.choose}
        popoverTarget={id}
        popoverTargetAction="hide"
        onClick={onChoose}
      >
        {texts.models.open}
      </button>
      <h2>{texts.page.device.title}</h2>
      {model.phase === "failed" && (
        <Facts rows={[[texts.page.device.model, texts.page.device.absent]]} />
      )}
      {model.phase === "loading" && (
        <Facts
          rows={Object.entries(model.files).map(([file, { loaded, total }]) => [
            file,
            texts.page.device.progress(formatMegabytes(loaded), formatMegabytes(total)),
          ])}
        />
      )}
      {model.phase === "ready" && <Facts rows={readyFacts(model.info)} />}
      <Report />
    </div>
  );
}

type Row = readonly [string, ReactNode];

function readyFacts(info: Extract<ModelState, { phase: "ready" }>["info"]): readonly Row[] {
  const { adapter } = info;
  const words = texts.page.device;
  const read = words.bytesIn(formatMegabytes(info.bytes), formatMs(info.loadMs));
  const rows: Row[] = [
    [words.model, info.id],
    [words.parameters, formatParameters(info.parameters)],
    [words.bytes, read],
    [words.shape, words.shapeOf(info.layers, info.heads, info.kvHeads)],
    [words.types, words.typesOf(info.elementType, info.kvType)],
    [words.row, words.rowOf(formatBytes(info.bytesPerRow))],
    [words.context, words.contextOf(formatCount(info.contextLength))],
    [words.adapter, adapterName(adapter)],
    [words.kernels, words.kernelsOf[adapter.reduction]],
    [words.features, texts.page.list(adapter.features) || words.noFeatures],
  ];
  if (adapter.isFallback) rows.push([words.times, words.software]);
  for (const sentence of noticeSentences(adapter.notices)) rows.push([words.selfTest, sentence]);
  for (const [name, version] of Object.entries(info.versions)) rows.push([name, version]);
  return rows;
}

function Facts({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <dl className={styles.facts}>
      {rows.map(([name, value], index) => (
        // Names may repeat (one row per notice), and the list never reorders.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <div key={index} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
