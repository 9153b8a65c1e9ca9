import f16 from "./kv_f16.wgsl?raw";
import f32 from "./kv_f32.wgsl?raw";
import grouped from "./kv_grouped.wgsl?raw";
import plain from "./kv_plain.wgsl?raw";
import putGrouped from "./kv_put_grouped.wgsl?raw";
import putPlain from "./kv_put_plain.wgsl?raw";
import q4 from "./kv_q4.wgsl?raw";
import q8 from "./kv_q8.wgsl?raw";
import readGrouped from "./kv_read_grouped.wgsl?raw";
import readPlain from "./kv_read_plain.wgsl?raw";
import runsGrouped from "./kv_runs_grouped.wgsl?raw";
import runsPlain from "./kv_runs_plain.wgsl?raw";
import storeGrouped from "./kv_store_grouped.wgsl?raw";
import storePlain from "./kv_store_plain.wgsl?raw";
import { isGroupedKv, type KvType, writtenType } from "./kvType";

const FORMAT: Readonly<Record<KvType, string>> = {
  f32: f32 + plain,
  f16: f16 + plain,
  q8: q8 + grouped,
  q4: q4 + grouped,
};
const ACCESS = {
  read: { plain: readPlain, grouped: readGrouped },
  runs: { plain: runsPlain, grouped: runsGrouped },
  put: { plain: putPlain, grouped: putGrouped },
  store: { plain: storePlain, grouped: storeGrouped },
} as const;

/** WGSL of a kernel that writes rows pair by pair. */
export function writtenKvCode(kvType: KvType): string {
  return { f32, f16 }[writtenType(kvType)];
}

/** Names of the bindings of a kernel that are buffers of the cache, by how it uses them. */
type KvUses = { readonly [A in keyof typeof ACCESS]?: readonly string[] };

/** WGSL of a kernel that reads or writes the cache, and its constants: spread both into the spec. */
export function kvCode(kvType: KvType, headDim: number, uses: KvUses = {}) {
  const kind = isGroupedKv(kvType) ? "grouped" : "plain";
  const access = (Object.keys(ACCESS) as (keyof typeof ACCESS)[]).flatMap((use) =>
    (uses[use] ?? []).map((name) => ACCESS[use][kind].replaceAll("CACHE", name)),
  );
  return { code: [FORMAT[kvType], ...access], constants: { KV_DEPTH4: headDim / 4 } };
}
