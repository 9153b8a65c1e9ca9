import fs from "node:fs";
import path from "node:path";
import type { SampledFrame } from "@/protocol/request";
import { inputError } from "../shared/options";

/** A file of `--frames`, and its place in the video. */
interface FrameFile {
  readonly file: string;
  readonly frame: SampledFrame;
}

/**
 * `DIR:SECONDS`: the images in a folder, in the order of their names, in the middle of equal parts of a video.
 * @throws with exitCode 1 for a folder without images, or without a length
 */
export function readFrames(text: string): readonly FrameFile[] {
  const [, folder = "", seconds = ""] = /^(.*):([\d.]+)$/.exec(text) ?? [];
  const duration = Number(seconds);
  if (!(duration > 0)) throw inputError(`--frames needs DIR:SECONDS, not ${text}.`);
  if (!fs.existsSync(folder)) throw inputError(`There is no folder ${folder}.`);
  const files = fs
    .readdirSync(folder)
    .filter((name) => /\.(png|jpe?g|webp|avif|bmp|gif)$/i.test(name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (files.length === 0) throw inputError(`There is no image in ${folder}.`);
  return files.map((name, i) => ({
    file: path.resolve(folder, name),
    frame: { video: folder, seconds: ((i + 0.5) * duration) / files.length, duration },
  }));
}
