import { ImageError } from "@/images/imageError";

/** Limits of an image's size, in pixels. */
export interface PixelLimits {
  readonly fewest: number;
  readonly most: number;
}

/** Frames of a video, and how many count for its limits. */
interface FrameCount {
  readonly frames: number;
  readonly counted: number;
}

const ONE: FrameCount = { frames: 1, counted: 1 };

/** The longest image, in multiples of its shorter side. */
const MOST_LENGTHS = 200;

/**
 * The size of an image in multiples of `side` pixels whose area is within limits: `smart_resize` of
 * `transformers`, which rounds halves to even numbers. With frames, the limits are those of all together.
 * @throws ImageError for an image that is too long
 */
export function fittingSize(
  [width, height]: readonly [width: number, height: number],
  side: number,
  { fewest, most }: PixelLimits,
  { frames, counted }: FrameCount = ONE,
): readonly [width: number, height: number] {
  if (Math.max(width, height) / Math.min(width, height) > MOST_LENGTHS) {
    const message = `This model takes images that are at most ${MOST_LENGTHS} times as long as wide.`;
    throw new ImageError({ kind: "tooLong", most: MOST_LENGTHS }, message);
  }
  const sized = (toSides: (pixels: number) => number) =>
    [toSides(width) * side, toSides(height) * side] as const;
  const rounded = sized((pixels) => roundToEven(pixels / side));
  const area = counted * rounded[0] * rounded[1];
  if (area > most) {
    const scale = Math.sqrt((frames * height * width) / most);
    return sized((pixels) => Math.max(1, Math.floor(pixels / scale / side)));
  }
  if (area < fewest) {
    const scale = Math.sqrt(fewest / (frames * height * width));
    return sized((pixels) => Math.ceil((pixels * scale) / side));
  }
  return rounded;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The size of the frames of a video whose limits are those of all frames together: `smart_resize` of Qwen3-VL's
 * video processor in `transformers`, which refuses a single frame; here it counts as one temporal patch.
 * @throws ImageError for frames that are too long
 */
export function fittingVideo(
  [width, height]: readonly [width: number, height: number],
  side: number,
  limits: PixelLimits,
  { count, temporalPatchSize }: { readonly count: number; readonly temporalPatchSize: number },
): readonly [width: number, height: number] {
  const scale = Math.max(1, side / width, side / height);
  const size = [Math.trunc(width * scale), Math.trunc(height * scale)] as const;
  const frames = Math.max(count, temporalPatchSize);
  return fittingSize(size, side, limits, {
    frames,
    counted: roundToEven(frames / temporalPatchSize) * temporalPatchSize,
  });
}
