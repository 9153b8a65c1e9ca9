import type { ReactNode } from "react";
import type { ModelState } from "@/store/engine/model";
import {
  formatBytes,
  formatCount,
  formatMegabytes,
  formatMs,
  formatParameters,
} from "@/text/format";
import { adapterName } from "./adapterName";
import styles from "./TopBar.module.css";

/** Facts about the model and the device, behind the model chip. */
export function DeviceSheet({ id, model }: { readonly id: string; readonly model: ModelState }) {
  return (
    <div id={id} popover="auto" className={styles.sheet}>
      <h2>Model and device</h2>
      {model.phase === "failed" && <Facts rows={[["Model", "not loaded"]]} />}
      {model.phase === "loading" && (
        <Facts
          rows={Object.entries(model.files).map(([file, { loaded, total }]) => [
            file,
            `${formatMegabytes(loaded)} of ${formatMegabytes(total)}`,
          ])}
        />
      )}
      {model.phase === "ready" && <Facts rows={readyFacts(model.info)} />}
    </div>
  );
}

type Row = readonly [string, ReactNode];

function readyFacts(info: Extract<ModelState, { phase: "ready" }>["info"]): readonly Row[] {
  const { adapter } = info;
  const rows: Row[] = [
    ["Model", info.id],
    ["Parameters", formatParameters(info.parameters)],
    ["Bytes read", `${formatMegabytes(info.bytes)} in ${formatMs(info.loadMs)}`],
    ["Layers and heads", `${info.layers} layers, ${info.heads} heads over ${info.kvHeads}`],
    ["Weights and cache", `${info.elementType} and ${info.kvType}`],
    ["One cached row", `${formatBytes(info.bytesPerRow)} over all layers`],
    ["Context", `${formatCount(info.contextLength)} tokens`],
    ["Adapter", adapterName(adapter)],
    ["Kernels", `${adapter.lanes} per unit of work`],
    ["Features", adapter.features.join(", ") || "none of the optional ones"],
  ];
  if (adapter.isFallback)
    rows.push(["Times", "A software adapter: correct, but not representative"]);
  for (const notice of adapter.notices) rows.push(["Self-test", notice]);
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
