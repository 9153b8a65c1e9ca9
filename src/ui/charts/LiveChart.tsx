import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../color";
import styles from "./Charts.module.css";
import { watchSeries } from "./watchSeries";

/** What a chart draws: built anew for a theme, fed by `data` on every change of `version`. */
export interface ChartSource {
  version(): number;
  data(): uPlot.AlignedData;
  options(host: HTMLElement): Omit<uPlot.Options, "width" | "height">;
  /** What the values under the cursor say; undefined where there are none. */
  readout(index: number): string | undefined;
}

interface Props {
  readonly source: ChartSource;
  /** Text equivalent of the picture. */
  readonly label: string;
  readonly height: number;
}

/** Draws a series as it grows. React mounts the chart; samples never go through React. */
export function LiveChart({ source, label, height }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLOutputElement>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let chart: uPlot | undefined;

    function build() {
      if (!element) return;
      chart?.destroy();
      const options = source.options(element);
      const size = { width: Math.max(1, element.clientWidth), height };
      const hooks = { ...options.hooks, setCursor: [showReadout] };
      chart = new uPlot({ ...options, ...size, hooks }, source.data(), element);
    }

    function showReadout({ cursor }: uPlot) {
      if (!readout.current) return;
      const index = cursor.idx;
      readout.current.textContent = index == null ? "" : (source.readout(index) ?? "");
    }

    build();
    const unwatch = watchSeries(element, source.version, () => chart?.setData(source.data()));
    const unsubscribe = onThemeChange(build);
    const observer = new ResizeObserver(() => {
      chart?.setSize({ width: Math.max(1, element.clientWidth), height });
    });
    observer.observe(element);
    return () => {
      unwatch();
      unsubscribe();
      observer.disconnect();
      chart?.destroy();
    };
  }, [source, height]);

  return (
    <div className={styles.chart} style={{ height }}>
      <div ref={host} role="img" aria-label={label} />
      <output ref={readout} className={`num ${styles.readout}`} aria-hidden="true" />
    </div>
  );
}
