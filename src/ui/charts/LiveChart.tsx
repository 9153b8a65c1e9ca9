import { type KeyboardEvent, useEffect, useRef } from "react";
import uPlot from "uplot";
import { texts } from "@/language/language";
import "uplot/dist/uPlot.min.css";
import { onLookChange } from "../color";
import styles from "./Charts.module.css";
import { timed } from "./drawTimes";
import { type Samples, watchSamples } from "./watchSamples";

/** Definition of a chart: rebuilt for a theme, updated from `data` on every change of `version`. */
export interface ChartSource extends Samples {
  /** Whether there is nothing to draw: then there are no axes either. */
  isEmpty(): boolean;
  data(): uPlot.AlignedData;
  options(host: HTMLElement): Omit<uPlot.Options, "width" | "height">;
  /** The values under the cursor as text; undefined without any. */
  readout(index: number): string | undefined;
}

interface Props {
  readonly source: ChartSource;
  /** Text equivalent of the image. */
  readonly label: string;
  readonly height: number;
}

/** Samples that a key moves the cursor by. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Draws a series as it grows. React mounts the chart; samples never go through React. */
export function LiveChart({ source, label, height }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLOutputElement>(null);
  const scrubber = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);

  useEffect(() => {
    if (!host.current) return;
    return drawLive(host.current, source, height, (chart) => {
      drawn.current = chart;
      if (!chart) return;
      const index = chart.cursor.idx;
      const text = index == null ? "" : (source.readout(index) ?? "");
      const last = Math.max(0, chart.data[0].length - 1);
      if (readout.current) readout.current.textContent = text;
      scrubber.current?.setAttribute("aria-valuenow", String(index ?? 0));
      scrubber.current?.setAttribute("aria-valuemax", String(last));
      scrubber.current?.setAttribute("aria-valuetext", text || texts.charts.noSample);
    });
  }, [source, height]);

  return (
    <div className={styles.chart} style={{ height }}>
      <div ref={host} role="img" aria-label={label} />
      <p className={styles.waiting} aria-hidden="true">
        {texts.charts.waiting}
      </p>
      <output ref={readout} className={`num ${styles.readout}`} aria-hidden="true" />
      <div
        ref={scrubber}
        role="slider"
        tabIndex={0}
        className={styles.scrubber}
        aria-label={texts.charts.read(label.split(/[:：]/)[0] ?? "")}
        aria-valuemin={0}
        aria-valuemax={0}
        aria-valuenow={0}
        aria-valuetext={texts.charts.noSample}
        onKeyDown={(event) => drawn.current && moveCursor(drawn.current, event)}
        onBlur={() => drawn.current?.setCursor({ left: -10, top: -10 })}
      />
    </div>
  );
}

/**
 * Draws samples into an element as they arrive; a change of its look or width builds the chart anew.
 * @param follow called with the chart when it was built and when its cursor moved, and with nothing at its end
 * @returns what stops drawing
 */
function drawLive(
  element: HTMLElement,
  source: ChartSource,
  height: number,
  follow: (chart: uPlot | undefined) => void,
): () => void {
  let chart: uPlot | undefined;
  let isStale = true;

  function draw() {
    const width = element.clientWidth;
    if (width === 0) return;
    element.dataset.empty = String(source.isEmpty());
    const end = timed();
    if (!chart || isStale) chart = build(width);
    else {
      if (chart.width !== width) chart.setSize({ width, height });
      chart.setData(source.data());
    }
    // uPlot draws in a microtask, which comes before this one.
    queueMicrotask(end);
  }

  function build(width: number): uPlot {
    chart?.destroy();
    isStale = false;
    const options = source.options(element);
    const hooks = { ...options.hooks, setCursor: [follow] };
    const built = new uPlot({ ...options, width, height, hooks }, source.data(), element);
    follow(built);
    return built;
  }

  const watch = watchSamples(element, source, draw);
  const unsubscribe = onLookChange(() => {
    isStale = true;
    watch.invalidate();
  });
  const observer = new ResizeObserver(() => {
    if (chart && element.clientWidth !== chart.width) watch.invalidate();
  });
  observer.observe(element);
  return () => {
    watch.stop();
    unsubscribe();
    observer.disconnect();
    chart?.destroy();
    follow(undefined);
  };
}

/** Arrow keys go from sample to sample, as the pointer does. */
function moveCursor(chart: uPlot, event: KeyboardEvent): void {
  const step = STEPS[event.key];
  const [places] = chart.data;
  if (step === undefined || places.length === 0) return;
  event.preventDefault();
  const last = places.length - 1;
  const from = chart.cursor.idx ?? (step > 0 ? -1 : last + 1);
  const index = Math.min(last, Math.max(0, from + step));
  chart.setCursor({ left: chart.valToPos(places[index] ?? 0, "x"), top: 0 });
}
