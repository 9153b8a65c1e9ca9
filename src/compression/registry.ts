import { adaKv } from "./policies/adaKv";
import { airCache } from "./policies/airCache";
import { bacon } from "./policies/bacon";
import { elastic } from "./policies/elastic";
import { fastV } from "./policies/fastV";
import { flashCache } from "./policies/flashCache";
import { full } from "./policies/full";
import { h2o } from "./policies/h2o";
import { knorm } from "./policies/knorm";
import { lookM } from "./policies/lookM";
import { mixKv } from "./policies/mixKv";
import { prefixKv } from "./policies/prefixKv";
import { pyramidKv } from "./policies/pyramidKv";
import { random } from "./policies/random";
import { snapKv } from "./policies/snapKv";
import { streaming } from "./policies/streaming";
import { tgvKv } from "./policies/tgvKv";
import { tova } from "./policies/tova";
import { uniform } from "./policies/uniform";
import { vlCache } from "./policies/vlCache";
import { type Policy, PolicyError } from "./types";

/** The only list of policies: menus, command line, tests, benchmark and README derive from it. */
export const POLICIES: readonly Policy[] = [
  full,
  random,
  uniform,
  airCache,
  prefixKv,
  elastic,
  h2o,
  snapKv,
  streaming,
  tova,
  pyramidKv,
  fastV,
  lookM,
  vlCache,
  knorm,
  tgvKv,
  mixKv,
  bacon,
  adaKv,
  flashCache,
];

/** @throws PolicyError naming the ids that exist. */
export function policyById(id: string): Policy {
  const found = POLICIES.find((policy) => policy.id === id);
  if (found) return found;
  throw new PolicyError(
    `There is no policy "${id}"; there are ${POLICIES.map((p) => p.id).join(", ")}.`,
  );
}
