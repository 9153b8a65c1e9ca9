import fs from "node:fs";
import { expect, it } from "vitest";
import { outlineModel } from "./outline";

const CONFIG = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  ...{ num_hidden_layers: 2, hidden_size: 96, intermediate_size: 128, vocab_size: 100 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32, tie_word_embeddings: false },
};
/** Rows of 96 and of 128 columns in 8 bits and 4: 16 bytes of scales hold four groups. */
const ROW = { q8: { 96: 96 + 16, 128: 128 + 16 }, q4: { 96: 48 + 16, 128: 64 + 16 } };

it("counts what 8 and 4 bits save, of files in 16 and in 32 bits", async () => {
  const layerRows = { 96: (4 + 2 + 2) * 32 + 2 * 128, 128: 96 + 96 };
  const held = (type: "q8" | "q4") =>
    2 * (layerRows[96] * ROW[type][96] + layerRows[128] * ROW[type][128]) + 200 * ROW.q8[96];
  const weights = 2 * (layerRows[96] * 96 + layerRows[128] * 128) + 200 * 96;
  const { savedBytes } = await outlineModel(JSON.stringify(CONFIG));
  expect(savedBytes).toEqual({
    f16: 0,
    q8: 2 * weights - held("q8"),
    q4: 2 * weights - held("q4"),
  });
  const wide = await outlineModel(JSON.stringify({ ...CONFIG, torch_dtype: "float32" }));
  expect(wide.savedBytes?.q4).toBe(4 * weights - held("q4"));
  expect(wide.savedBytes?.f16).toBe(2 * weights);
});

it("saves nothing of weights that are in 4 bits already", async () => {
  const quantization = { group_size: 64, bits: 4 };
  expect(await outlineModel(JSON.stringify({ ...CONFIG, quantization }))).not.toHaveProperty(
    "savedBytes",
  );
});

it("refuses at once what would be lists without end", async () => {
  const layers = JSON.stringify({ ...CONFIG, num_hidden_layers: 1e9 });
  await expect(outlineModel(layers)).rejects.toThrow("1000000000 layers; 1024 are the limit");
  const json = JSON.parse(fs.readFileSync("public/models/tiny-smolvlm/config.json", "utf8"));
  Object.assign(json.text_config, { max_position_embeddings: 2 ** 53 - 1 });
  Object.assign(json.vision_config, { image_size: 2, patch_size: 1 });
  const processor = {
    ...{ image_processor_type: "Idefics3ImageProcessor", resample: 1 },
    ...{ size: { longest_edge: 4096 }, max_image_size: { longest_edge: 2 } },
  };
  const beside = { "preprocessor_config.json": JSON.stringify(processor) };
  const tiles = outlineModel(JSON.stringify({ ...json, scale_factor: 1 }), beside);
  await expect(tiles).rejects.toThrow("256 tiles are the limit");
});
