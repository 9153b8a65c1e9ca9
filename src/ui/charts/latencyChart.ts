import type uPlot from "uplot";
import { texts } from "@/language/language";
import type { Charts } from "@/store/engine/charts";
import { formatMsNumber } from "@/text/format";
import { chartInk, drawLabel, drawRules, drawScale, FRAME, type Ink, SCALE_PADDING } from "./ink";
import type { ChartSource } from "./LiveChart";

/** Milliseconds of each token of the current run, the last run with the full cache in grey. */
export function latencyChart(charts: Charts): ChartSource {
  const { tokens, reference } = charts;
  const joined = () => joinByToken(tokens.view(), reference.view());
  return {
    version: () => tokens.version + reference.version,
    subscribe: charts.subscribe,
    isEmpty: () => joined()[0].length === 0,
    data: joined,
    readout(index) {
      const [numbers, current, full] = joined();
      const parts = [texts.charts.token(numbers[index] ?? 0)];
      if (current?.[index] != null) parts.push(`${formatMsNumber(current[index])} ms`);
      if (full?.[index] != null) parts.push(texts.charts.full(`${formatMsNumber(full[index])} ms`));
      return parts.length > 1 ? parts.join("  ") : undefined;
    },
    options(host) {
      const ink = chartInk(host);
      const line = { points: { show: false }, spanGaps: true };
      return {
        scales: {
          x: { time: false, range: (_, __, max) => [1, Math.max(max || 0, 12)] },
          y: { range: (_, __, max) => [0, (max || 50) * 1.2] },
        },
        ...FRAME,
        padding: SCALE_PADDING,
        series: [
          {},
          { ...line, stroke: ink.accent, width: 1.7 },
          { ...line, stroke: ink.reference, width: 1.3 },
        ],
        hooks: {
          drawAxes: [(chart) => drawRules(chart, ink)],
          draw: [(chart) => drawGrid(chart, ink)],
        },
      };
    },
  };
}

/** Columns over the union of both runs' tokens; a token that a run did not reach is null. */
export function joinByToken(
  [numbers = new Float64Array(), times = new Float64Array()]: readonly Float64Array[],
  [fullNumbers = new Float64Array(), fullTimes = new Float64Array()]: readonly Float64Array[],
): [number[], (number | null)[], (number | null)[]] {
  const current = new Map(Array.from(numbers, (token, index) => [token, times[index]!]));
  const full = new Map(Array.from(fullNumbers, (token, index) => [token, fullTimes[index]!]));
  const tokens = [...new Set([...current.keys(), ...full.keys()])].sort((a, b) => a - b);
  return [
    tokens,
    tokens.map((token) => current.get(token) ?? null),
    tokens.map((token) => full.get(token) ?? null),
  ];
}

function drawGrid(chart: uPlot, ink: Ink): void {
  drawScale(chart, ink, "ms");
  const { bbox } = chart;
  const right = bbox.left + bbox.width;
  const y = bbox.top + bbox.height + 14 * devicePixelRatio;
  const last = `${chart.scales.x?.max ?? ""}`;
  drawLabel(chart, ink, { text: texts.charts.token(1), x: bbox.left, y, color: ink.text });
  drawLabel(chart, ink, { text: last, x: right, y, color: ink.text, align: "right" });
}
