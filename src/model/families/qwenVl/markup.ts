import type { ImageMarkup, PromptImage, VideoMarkup } from "../../prompt/imageMarkup";
import type { GridTowerConfig } from "../../vision/grid/gridConfig";
import { rowTokens } from "../rowTokens";
import { byCount, bySeconds, type VideoRules } from "./frames";

const IMAGE = "<|image_pad|>";
const VIDEO = "<|video_pad|>";

/** The rows of all temporal patches follow each other. */
function expandUntimed(patches: readonly PromptImage[]): string {
  return patches.map((patch) => rowTokens(patch, VIDEO)).join("");
}

/** Every temporal patch has its time in seconds, and start and end of an image of its own. */
function expandTimed(patches: readonly PromptImage[]): string {
  return patches
    .map((patch) => {
      const time = tenths(patch.frame?.seconds ?? 0);
      return `<${time} seconds><|vision_start|>${rowTokens(patch, VIDEO)}<|vision_end|>`;
    })
    .join("");
}

/** How a family writes videos, and counts their time. */
export interface Videos {
  readonly expand: VideoMarkup["expand"];
  rules(config: GridTowerConfig): VideoRules;
}

export const UNTIMED: Videos = {
  expand: expandUntimed,
  rules: ({ positionsPerSecond: perSecond }) => ({
    time: perSecond === undefined ? byCount : bySeconds(perSecond),
    sharesLimits: false,
  }),
};
export const TIMED: Videos = { expand: expandTimed, rules: () => ({ sharesLimits: true }) };

/** The template writes the start and end of an image or a video around its placeholder. */
export function qwenVlMarkup(
  { expand }: Videos,
  imageTokenId: number,
  videoTokenId: number | undefined,
): ImageMarkup {
  return {
    placeholder: IMAGE,
    imageTokenId,
    expand: (image) => rowTokens(image, IMAGE),
    ...(videoTokenId !== undefined && {
      video: { placeholder: VIDEO, tokenId: videoTokenId, expand },
    }),
  };
}

/** One decimal as Python writes it: a half goes to the even digit. Of binary fractions only .25 shows it. */
function tenths(seconds: number): string {
  return seconds % 1 === 0.25 ? `${Math.floor(seconds)}.2` : seconds.toFixed(1);
}
