import type { ImageMarkup, PromptImage, VideoMarkup } from "../../prompt/imageMarkup";
import type { GridTowerConfig } from "../../vision/grid/gridConfig";
import { rowTokens } from "../rowTokens";
import { bySeconds, byStep, type VideoRules } from "./frames";

const IMAGE = "<|image_pad|>";
const VIDEO = "<|video_pad|>";

/** The rows of all steps follow each other. */
function expandSteps(steps: readonly PromptImage[]): string {
  return steps.map((step) => rowTokens(step, VIDEO)).join("");
}

/** Every step has its time in seconds, and start and end of an image of its own. */
function expandTimedSteps(steps: readonly PromptImage[]): string {
  return steps
    .map((step) => {
      const time = tenths(step.frame?.seconds ?? 0);
      return `<${time} seconds><|vision_start|>${rowTokens(step, VIDEO)}<|vision_end|>`;
    })
    .join("");
}

/** How a family writes videos, and counts their time. */
export interface Videos {
  readonly expand: VideoMarkup["expand"];
  rules(config: GridTowerConfig): VideoRules;
}

export const UNTIMED: Videos = {
  expand: expandSteps,
  rules: ({ positionsPerSecond: perSecond }) => ({
    time: perSecond === undefined ? byStep : bySeconds(perSecond),
    sharesLimits: false,
  }),
};
export const TIMED: Videos = { expand: expandTimedSteps, rules: () => ({ sharesLimits: true }) };

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
