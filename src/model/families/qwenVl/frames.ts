import type { ResampleFilter } from "@/images/resample";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import type {
  FramePlace,
  ImageProcessor,
  PixelSize,
  ProcessedImage,
  Raster,
  ScaledDown,
} from "../family";
import type { QwenVlProcessor } from "./processor";
import { fittingSize, fittingVideo } from "./size";

/** Positions in time of a temporal patch behind the first of its video. */
type PatchTime = (patch: number, secondsPerPatch: number) => number;

/** Qwen2-VL (https://arxiv.org/abs/2409.12191, section 2.1): temporal patches count by one. */
export const byCount: PatchTime = (patch) => patch;

/** Qwen2.5-VL (https://arxiv.org/abs/2502.13923, section 2.1.2): by absolute time, in f32 as in PyTorch. */
export function bySeconds(perSecond: number): PatchTime {
  return (patch, seconds) =>
    Math.floor(Math.fround(patch * Math.fround(perSecond * Math.fround(seconds))));
}

/** How a family takes videos. */
export interface VideoRules {
  /** Absent: it writes times as text. */
  readonly time?: PatchTime;
  /** Whether the limits of pixels are those of all frames together. */
  readonly sharesLimits: boolean;
}

/** The frames of a temporal patch: encoded together, in the size that all frames of the video have. */
export class QwenVlFrames implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly mark: string;
  readonly #frames: QwenVlProcessor;
  readonly #place: FramePlace;
  readonly #rules: VideoRules;

  /** @param frames processor of single frames, with the limits of videos */
  constructor(frames: QwenVlProcessor, place: FramePlace, rules: VideoRules) {
    this.filter = frames.filter;
    this.#frames = frames;
    this.#place = place;
    this.#rules = rules;
    const { time } = this;
    this.mark = ` ${place.count}${time === undefined ? "" : ` at ${time}`}`;
  }

  /** Positions in time behind the video's first temporal patch. */
  get time(): number | undefined {
    const { at, count, duration } = this.#place;
    const { temporalPatchSize: frames } = this.#frames;
    return this.#rules.time?.(Math.floor(at / frames), (frames * duration) / count);
  }

  /** @throws ImageError for frames that are too long */
  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    const { side, most, temporalPatchSize } = this.#frames;
    const own = this.#ownSize(width, height);
    const allowed = Math.min(
      most.image,
      most.context / Math.ceil(this.#place.count / temporalPatchSize),
    );
    if (own[0] * own[1] <= allowed) return own;
    return fittingSize([width, height], side, { fewest: 0, most: allowed });
  }

  notice(width: number, height: number): ScaledDown | undefined {
    const [wide, high] = this.sizeFor(width, height);
    const [ownWidth, ownHeight] = this.#ownSize(width, height);
    if (wide === ownWidth && high === ownHeight) return undefined;
    return { code: "scaledDown", width: wide, height: high, ownWidth, ownHeight };
  }

  geometry(size: PixelSize): ImageGeometry {
    const { time } = this;
    return { ...this.#frames.geometry(size), ...(time !== undefined && { time }) };
  }

  process(image: Raster): ProcessedImage {
    return { ...this.#frames.process(image), geometry: this.geometry(image) };
  }

  /** The model's own, whatever holds it. */
  #ownSize(width: number, height: number): readonly [width: number, height: number] {
    const { limits, side, temporalPatchSize } = this.#frames;
    if (!this.#rules.sharesLimits) return fittingSize([width, height], side, limits);
    const frames = { count: this.#place.count, temporalPatchSize };
    return fittingVideo([width, height], side, limits, frames);
  }
}
