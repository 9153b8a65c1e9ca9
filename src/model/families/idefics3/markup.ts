import type { ImageMarkup } from "../../prompt/prompt";

/**
 * Every tile of a cut image with its row and column, one line per row of tiles, then the whole
 * image; an uncut image only whole.
 */
export function idefics3Markup(imageTokenId: number): ImageMarkup {
  const placeholder = "<image>";
  const around = "<fake_token_around_image>";
  return {
    placeholder,
    imageTokenId,
    expand({ grid, tiles }) {
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
    },
  };
}
