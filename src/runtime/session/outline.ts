import { KV_BYTES } from "@/gpu/kernels/common/kvType";
import { parseConfig } from "@/model/checkpoint/config";
import { parseJson } from "@/model/checkpoint/files";
import { familyOf } from "@/model/families/registry";
import type { ModelOutline } from "@/protocol/engine";

/** @param text of a `config.json` @throws ModelError */
export function outlineModel(text: string): ModelOutline {
  const json = parseJson("config.json", text);
  const { architecture, layers, kvHeads, headDim, contextLength } = parseConfig(json);
  const family = familyOf(json);
  return {
    family: family?.title ?? architecture,
    hasVision: family?.vision !== undefined && json.vision_config !== undefined,
    layers,
    contextLength,
    bytesPerRow: 2 * layers * kvHeads * headDim * KV_BYTES.f16,
  };
}
