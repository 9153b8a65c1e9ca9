import type { TAPS } from "@/compression/taps/registry";
import { columnSumTap, movingAverageTap } from "./columnSum/columnSum";
import { eliteTap } from "./elite/elite";
import { keyStatsTap } from "./keyStats/keyStats";
import { lastRowTap } from "./lastRow/lastRow";
import { postVisionTap } from "./postVision/postVision";
import { spectralTap } from "./spectral/spectral";
import type { KernelsOf } from "./tap";
import { textImageTap } from "./textImage/textImage";
import { windowTap } from "./window/window";

/** The kernels of every tap of `compression/taps/registry`. */
export const TAP_KERNELS: KernelsOf<typeof TAPS> = {
  columnSum: columnSumTap,
  movingAverage: movingAverageTap,
  lastRow: lastRowTap,
  window: windowTap,
  elite: eliteTap,
  postVision: postVisionTap,
  textImage: textImageTap,
  keyStats: keyStatsTap,
  spectral: spectralTap,
};
