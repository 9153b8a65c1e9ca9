import { type Framed, minutesAndSeconds } from "../../prompt/clips";
import type { ImageMarkup } from "../../prompt/imageMarkup";
import { inWords } from "./inWords";

/**
 * Every tile of a cut image with its row and column, one line per row of tiles, then the whole
 * image; an uncut image only whole.
 */
export function idefics3Markup(imageTokenId: number): ImageMarkup {
  const placeholder = "<image>";
  const around = "<fake_token_around_image>";
  const expand: ImageMarkup["expand"] = ({ grid, tiles }) => {
    const { gridRows = 0, gridColumns = 0 } = tiles[0] ?? {};
    const visual = placeholder.repeat(gridRows * gridColumns);
    const lines = Array.from({ length: grid.rows }, (_, row) => {
      const line = Array.from(
        { length: grid.columns },
        (_, column) => `${around}<row_${row + 1}_col_${column + 1}>${visual}`,
      );
      return `${line.join("")}\n`;
    });
    const whole = `${around}<global-img>${visual}${around}`;
    return lines.length > 0 ? `${lines.join("")}\n${whole}` : whole;
  };
  return { placeholder, imageTokenId, expand };
}

/** SmolVLM2: also videos, as frames after their times. `replace_video_token` of `transformers`. */
export function smolVlmMarkup(imageTokenId: number): ImageMarkup {
  const frameTexts = (frames: readonly Framed[]) => {
    const length = hoursMinutesSeconds(frames[0]?.frame?.duration ?? 0);
    const count = inWords(frames.length);
    const intro = `You are provided the following series of ${count} frames from a ${length} [H:MM:SS] video.\n`;
    const times = frames.map(
      ({ frame }) => `\nFrame from ${minutesAndSeconds(frame?.seconds ?? 0)}:`,
    );
    return [`${intro}${times[0]}`, ...times.slice(1), "\n\n"];
  };
  return { ...idefics3Markup(imageTokenId), frameTexts };
}

/** `0:01:05` */
function hoursMinutesSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 3600)}:${minutesAndSeconds(whole % 3600)}`;
}
