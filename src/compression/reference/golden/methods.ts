import { airCacheReading } from "./airCache";
import { lookMEffivlm, vlCacheEffivlm } from "./effivlm";
import { elasticOfficial, elasticPaper } from "./elastic";
import { h2oElasticRepo, localElasticRepo, tgvKvOfficial } from "./evicting";
import type { Fixture } from "./fixture";
import { kvpressScorers, snapKvModifiers } from "./observing";
import { prefixKvOfficial, prefixKvSearch } from "./prefixKv";

/** What our policies make of a fixture, in the shape of its `expected`. */
export interface Reading {
  /** Ids of the policies that were asked. */
  readonly policies: readonly string[];
  readonly actual: Readonly<Record<string, unknown>>;
  /** Default 1e-5. */
  readonly tolerance?: number;
  /** Fields whose difference counts as agreement, with the reason (README of the fixtures). */
  readonly waived?: Readonly<Record<string, string>>;
}

/** The only list of recorded methods. */
export const METHODS: Readonly<Record<string, (fixture: Fixture) => Reading>> = {
  aircache_spec_reference: airCacheReading,
  elastic_official: elasticOfficial,
  elastic_paper_reference: elasticPaper,
  h2o_elasticrepo_official: h2oElasticRepo,
  local_elasticrepo_official: localElasticRepo,
  prefixkv_official: prefixKvOfficial,
  prefixkv_search: prefixKvSearch,
  tgv_kv_official: tgvKvOfficial,
  kvpress_scorers: kvpressScorers,
  snapkv_modifiers_reference: snapKvModifiers,
  vlcache_effivlm: vlCacheEffivlm,
  lookm_effivlm: lookMEffivlm,
};
