import { texts } from "@/language/language";
import type { TurnResult } from "@/protocol/result";
import type { App } from "@/store/app/app";
import { imagesShown } from "@/store/chat/shownRows";
import type { Attempt, ConversationImage, Exchange } from "@/store/conversation/conversation";
import { fullReference } from "@/store/conversation/verdict";
import { formatBytes } from "@/text/format";
import { tokenColor } from "../color";
import { markedImage } from "../export/overlayImage";
import { settingsLabel } from "../shared/settingsWords";
import { download } from "../topbar/download";

/** The size that link previews show whole. */
const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 40;
const IMAGE = HEIGHT - 2 * MARGIN;

interface Compared {
  readonly app: App;
  readonly exchange: Exchange;
  readonly attempt: Attempt;
  readonly image: ConversationImage;
}

/**
 * Saves a PNG: the image under the overlay of what an answer's layers dropped, the question, and the full
 * cache's answer beside this one, with the bytes of both. Resolves with false if it cannot be drawn.
 */
export async function saveComparison(compared: Compared): Promise<boolean> {
  const canvas = await drawComparison(compared).catch(() => undefined);
  if (!canvas) return false;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) download(blob, "image/png", "keepsight.png");
  return blob !== null;
}

async function drawComparison(compared: Compared): Promise<HTMLCanvasElement | undefined> {
  const { app, exchange, attempt, image } = compared;
  const full = fullReference(exchange, attempt);
  if (attempt.run.phase !== "done" || full?.run.phase !== "done") return undefined;
  const { result } = attempt.run;
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  const pen = penOf(context);
  pen.fill("--bg", { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  await drawImage(context, image, result);

  const left = 2 * MARGIN + IMAGE;
  const width = WIDTH - left - MARGIN;
  let y = pen.write(exchange.question, { x: left, y: MARGIN + 34, width, size: 34, weight: 600 });
  const isSame = result.answer.trim() === full.run.result.answer.trim();
  const cards = [
    { attempt: full, result: full.run.result, color: "--ink" },
    { attempt, result, color: isSame ? "--ink" : "--warn" },
  ];
  for (const { attempt: of, result: shown, color } of cards) {
    const label = settingsLabel(app.policies, of.settings);
    y = drawCard(pen, {
      label,
      result: shown,
      color,
      x: left,
      y: y + 80,
      width,
    });
  }
  pen.write("Keepsight", { x: left, y: HEIGHT - MARGIN, width, size: 22, weight: 650 });
  return canvas;
}

async function drawImage(
  context: CanvasRenderingContext2D,
  { blob, id }: ConversationImage,
  { images, layers }: TurnResult,
): Promise<void> {
  const bitmap = await createImageBitmap(blob);
  const layout = images.find((each) => imagesShown(each).includes(id));
  const shown = layout && markedImage(bitmap, layout, layers, IMAGE);
  const scale = Math.min(IMAGE / bitmap.width, IMAGE / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const place = [
    MARGIN + (IMAGE - width) / 2,
    MARGIN + (IMAGE - height) / 2,
    width,
    height,
  ] as const;
  context.drawImage(shown ?? bitmap, ...place);
  bitmap.close();
}

interface Card {
  readonly label: string;
  readonly result: TurnResult;
  /** Of the answer. */
  readonly color: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Label, answer, and bytes as a bar. @returns the lower end */
function drawCard(pen: Pen, { label, result, color, x, y, width }: Card): number {
  const { end: bytes, full } = result.kvBytes;
  pen.write(label, { x, y, width: width - 180, size: 20, weight: 600, color: "--ink2" });
  const written = texts.charts.of(formatBytes(bytes), formatBytes(full));
  pen.write(written, { x: x + width, y, width: 240, size: 18, color: "--ink2", align: "right" });
  const bar = { x, y: y + 14, width, height: 8 };
  pen.fill("--line", bar);
  pen.fill("--accent", { ...bar, width: width * Math.min(1, bytes / Math.max(1, full)) });
  const answer = result.answer.trim() || texts.chat.answer.laneEmpty;
  return pen.write(answer, { x, y: y + 66, width, size: 32, lines: 3, color });
}

interface Writing {
  readonly x: number;
  /** Base line of the first line. */
  readonly y: number;
  readonly width: number;
  readonly size: number;
  readonly weight?: number;
  readonly color?: string;
  readonly align?: CanvasTextAlign;
  /** Lines at most; what is longer ends with an ellipsis. */
  readonly lines?: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Pen = ReturnType<typeof penOf>;

function penOf(context: CanvasRenderingContext2D) {
  const color = (token: string) => tokenColor(document.body, token);
  const family = getComputedStyle(document.body).fontFamily;
  return {
    fill(token: string, { x, y, width, height }: Box) {
      context.fillStyle = color(token);
      context.fillRect(x, y, width, height);
    },
    /** @returns the base line of the last line */
    write(text: string, { x, y, width, size, weight = 400, lines = 2, ...look }: Writing): number {
      context.font = `${weight} ${size}px ${family}`;
      context.fillStyle = color(look.color ?? "--ink");
      context.textAlign = look.align ?? "left";
      const broken = linesOf(text, lines, (line) => context.measureText(line).width <= width);
      const step = size * 1.3;
      for (const [index, line] of broken.entries()) context.fillText(line, x, y + index * step);
      return y + (broken.length - 1) * step;
    },
  };
}

/** Breaks a text at white space, or anywhere in a word that is too long for a line. */
export function linesOf(
  text: string,
  most: number,
  fits: (line: string) => boolean,
): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.split(/(\s+)/)) {
    for (const part of fits(piece) ? [piece] : piece) {
      if (fits(line + part)) line += part;
      else {
        lines.push(line.trimEnd());
        line = part.trimStart();
      }
    }
  }
  lines.push(line);
  if (lines.length <= most) return lines;
  let last = lines[most - 1]!;
  while (last !== "" && !fits(`${last}…`)) last = last.slice(0, -1);
  return [...lines.slice(0, most - 1), `${last}…`];
}
