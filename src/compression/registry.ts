import { full } from "./policies/baselines/full";
import { random } from "./policies/baselines/random";
import { streaming } from "./policies/baselines/streaming";
import { uniform } from "./policies/baselines/uniform";
import { elastic } from "./policies/cumulative/elastic";
import { h2o } from "./policies/cumulative/h2o";
import { prefixKv } from "./policies/cumulative/prefixKv";
import { flashCache } from "./policies/keys/flashCache";
import { keyDiff } from "./policies/keys/keyDiff";
import { knorm } from "./policies/keys/knorm";
import { fastV } from "./policies/lastQuery/fastV";
import { tova } from "./policies/lastQuery/tova";
import { airCache } from "./policies/question/airCache";
import { lookM } from "./policies/question/lookM";
import { tgvKv } from "./policies/question/tgvKv";
import { vlCache } from "./policies/question/vlCache";
import { divPrune } from "./policies/vision/divPrune";
import { downsample } from "./policies/vision/downsample";
import { pixelPrune } from "./policies/vision/pixelPrune";
import { visionZip } from "./policies/vision/visionZip";
import { adaKv } from "./policies/window/adaKv";
import { bacon } from "./policies/window/bacon";
import { mixKv } from "./policies/window/mixKv";
import { pyramidKv } from "./policies/window/pyramidKv";
import { snapKv } from "./policies/window/snapKv";
import { type Policy, PolicyError } from "./types";

/**
 * The only list of policies: menus, command line, tests and README derive from it. The three methods that the
 * project started from stand first.
 */
export const POLICIES: readonly Policy[] = [
  airCache,
  prefixKv,
  elastic,
  full,
  random,
  uniform,
  h2o,
  snapKv,
  streaming,
  tova,
  pyramidKv,
  fastV,
  lookM,
  vlCache,
  knorm,
  keyDiff,
  tgvKv,
  mixKv,
  bacon,
  adaKv,
  flashCache,
  downsample,
  divPrune,
  visionZip,
  pixelPrune,
];

/** @throws PolicyError naming the ids that exist. */
export function policyById(id: string): Policy {
  const found = POLICIES.find((policy) => policy.id === id);
  if (found) return found;
  throw new PolicyError(
    `There is no policy "${id}"; there are ${POLICIES.map((p) => p.id).join(", ")}.`,
  );
}
