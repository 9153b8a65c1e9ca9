import { texts } from "@/language/language";
import type { TurnResult } from "@/protocol/result";
import type { KvSample } from "@/store/conversation/timings";
import { formatBytes, formatCount, formatMsNumber } from "@/text/format";
import { heldRows } from "../overlayGeometry";
import { type Markup, type MarkupPart, markup } from "./markup";

const WIDTH = 240;
const HEIGHT = 72;
/** Height of a line of text above and below a drawing. */
const LINE = 14;

/** A drawing with its caption and a text equivalent. */
function figure(caption: string, summary: string, content: MarkupPart): Markup {
  const box = `0 0 ${WIDTH} ${HEIGHT + 2 * LINE}`;
  return markup`<figure class="drawing"><figcaption>${caption}</figcaption>
<svg viewBox="${box}" role="img" aria-label="${summary}">${content}</svg></figure>`;
}

/** The prompt's rows that are left in each layer, over those before. */
export function layerBars({ layers }: Pick<TurnResult, "layers">): Markup {
  const most = Math.max(1, ...layers.map(({ rowsBefore }) => rowsBefore));
  const step = WIDTH / Math.max(1, layers.length);
  const width = Math.max(1, step - 2);
  const bars = layers.map((report, layer) => {
    const x = fixed(layer * step + 1);
    const bar = (rows: number, name: string) => {
      const height = (HEIGHT * Math.min(rows, most)) / most;
      const y = fixed(LINE + HEIGHT - height);
      return markup`<rect class="${name}" x="${x}" y="${y}" width="${fixed(width)}" height="${fixed(height)}" />`;
    };
    return [bar(report.rowsBefore, "before"), bar(heldRows(report), "kept")];
  });
  const words = texts.export.layers;
  const rows = layers.map((report) => formatCount(heldRows(report)));
  return figure(words.name, words.summary(rows, formatCount(most)), [
    bars,
    label(0, LINE - 4, words.most(formatCount(most))),
    label(0, HEIGHT + 2 * LINE - 3, words.first),
    label(WIDTH, HEIGHT + 2 * LINE - 3, `${layers.length}`, "end"),
  ]);
}

/** KV bytes as they changed while an answer was given, the full cache dotted. */
export function memoryDrawing(kv: readonly KvSample[]): Markup | undefined {
  const last = kv.at(-1);
  if (kv.length < 2 || !last) return undefined;
  const most = Math.max(1, ...kv.map(({ fullBytes }) => fullBytes));
  const x = (at: number) => (WIDTH * at) / Math.max(1, last.at);
  const y = (bytes: number) => LINE + HEIGHT * (1 - bytes / most);
  const used = steps(kv.map(({ at, bytes }) => [x(at), y(bytes)]));
  const full = steps(kv.map(({ at, fullBytes }) => [x(at), y(fullBytes)]));
  const words = texts.export.memory;
  const peak = Math.max(...kv.map(({ bytes }) => bytes));
  return figure(
    words.name,
    words.summary(formatBytes(peak), formatBytes(last.bytes), formatBytes(last.fullBytes)),
    [
      floor(),
      markup`<path class="area" d="${`${used}V${LINE + HEIGHT}H0Z`}" />`,
      markup`<path class="line" d="${used}" />`,
      markup`<path class="reference" d="${full}" />`,
      label(0, LINE - 4, formatBytes(most)),
      label(WIDTH, LINE - 4, words.end(formatBytes(last.bytes)), "end"),
      label(WIDTH, HEIGHT + 2 * LINE - 3, `${(last.at / 1e3).toFixed(1)} s`, "end"),
    ],
  );
}

/** Milliseconds of each token from the second on; the first includes the prefill. */
export function timeDrawing(tokenMs: readonly number[]): Markup | undefined {
  const times = tokenMs.slice(1);
  if (times.length < 2) return undefined;
  const most = Math.max(1, ...times);
  const words = texts.export.time;
  const points = times.map((ms, index) => {
    const x = (WIDTH * index) / (times.length - 1);
    return `${fixed(x)},${fixed(LINE + HEIGHT * (1 - ms / most))}`;
  });
  return figure(
    words.name,
    words.summary(tokenMs.length, formatMsNumber(Math.min(...times)), formatMsNumber(most)),
    [
      floor(),
      markup`<polyline class="line" points="${points.join(" ")}" />`,
      label(0, LINE - 4, `${formatMsNumber(most)} ms`),
      label(0, HEIGHT + 2 * LINE - 3, words.first),
      label(WIDTH, HEIGHT + 2 * LINE - 3, `${tokenMs.length}`, "end"),
    ],
  );
}

function floor(): Markup {
  const y = LINE + HEIGHT;
  return markup`<path class="floor" d="${`M0 ${y}H${WIDTH}`}" />`;
}

function label(x: number, y: number, text: string, anchor: "start" | "end" = "start"): Markup {
  return markup`<text x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

/** A value holds until the next one. */
function steps(points: readonly (readonly [number, number])[]): string {
  return points
    .map(([x, y], index) => (index === 0 ? `M${fixed(x)} ${fixed(y)}` : `H${fixed(x)}V${fixed(y)}`))
    .join("");
}

function fixed(value: number): string {
  return Number(value.toFixed(2)).toString();
}
