import type { ImageGeometry } from "../prompt/imageMarkup";

/** One token per visual row, nothing around. */
export function rowTokens({ tiles }: ImageGeometry, token: string): string {
  return tiles.map(({ gridRows, gridColumns }) => token.repeat(gridRows * gridColumns)).join("");
}
