import { airCacheReference } from "./airCache";
import { lookMEffivlm, vlCacheEffivlm } from "./effivlm";
import { elasticOfficial, elasticPaper } from "./elastic";
import { h2oElasticRepo, localElasticRepo, tgvKvOfficial } from "./evicting";
import type { Fixture, Recomputed } from "./fixture";
import { kvpressScorers, snapKvModifiers } from "./observing";
import { prefixKvOfficial, prefixKvSearch } from "./prefixKv";

/** The only list of recorded methods. */
export const METHODS: Readonly<Record<string, (fixture: Fixture) => Recomputed>> = {
  aircache_spec_reference: airCacheReference,
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
