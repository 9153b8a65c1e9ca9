import { describe, expect, it } from "vitest";
import { parseConfig } from "./config";

const TEXT = {
  model_type: "llama",
  hidden_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  intermediate_size: 116,
  vocab_size: 1009,
};
const wrap = (text: object, top: object = {}) => ({
  architectures: ["Idefics3ForConditionalGeneration"],
  model_type: "idefics3",
  text_config: { ...TEXT, ...text },
  ...top,
});

describe("parseConfig", () => {
  it("fills in what transformers leaves out", () => {
    const config = parseConfig(wrap({}));
    expect(config).toMatchObject({ headDim: 8, kvHeads: 6, ropeBase: 10000, normEpsilon: 1e-6 });
    expect(config).toMatchObject({ isHeadTied: false, hasQkvBias: false, contextLength: 2048 });
    expect(config.ropeScaling).toEqual({ type: "default" });
  });

  it("reads the rotary base wherever it stands", () => {
    const base = (text: object) => parseConfig(wrap(text)).ropeBase;
    expect(base({ rope_theta: 500 })).toBe(500);
    expect(base({ rope_parameters: { rope_theta: 600, rope_type: "default" } })).toBe(600);
    expect(base({ rope_theta: 500, rope_parameters: { rope_theta: 600 } })).toBe(600);
  });

  it("lets rope_scaling win over rope_parameters, as transformers 5 does", () => {
    const rope_parameters = { rope_theta: 600, rope_type: "default" };
    const both = { rope_theta: 500, rope_parameters, rope_scaling: { type: "linear", factor: 4 } };
    expect(parseConfig(wrap(both))).toMatchObject({
      ropeBase: 500,
      ropeScaling: { type: "linear", factor: 4 },
    });
    expect(() => parseConfig(wrap({ rope_parameters: { partial_rotary_factor: 0.5 } }))).toThrow(
      "Rotating a part",
    );
  });

  it("takes the tie of the container before that of the text", () => {
    const isTied = (text: object, top: object) => parseConfig(wrap(text, top)).isHeadTied;
    expect(isTied({ tie_word_embeddings: false }, { tie_word_embeddings: true })).toBe(true);
    expect(isTied({ tie_word_embeddings: true }, {})).toBe(true);
  });

  it("knows biases of Llama and Qwen2", () => {
    const { hasQkvBias, hasOutputBias } = parseConfig(wrap({ attention_bias: true }));
    expect([hasQkvBias, hasOutputBias]).toEqual([true, true]);
    const qwen = parseConfig({ ...TEXT, model_type: "qwen2", architectures: ["Qwen2ForCausalLM"] });
    expect([qwen.hasQkvBias, qwen.hasOutputBias]).toEqual([true, false]);
  });

  it("reads rotary scaling", () => {
    const scaling = (rope_scaling: object) => parseConfig(wrap({ rope_scaling })).ropeScaling;
    expect(scaling({ type: "linear", factor: 2 })).toEqual({ type: "linear", factor: 2 });
    const llama3 = {
      ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    };
    expect(scaling(llama3)).toMatchObject({ type: "llama3", originalContext: 8192 });
  });

  it.each([
    [{ model_type: "gemma3_text" }, "Idefics3ForConditionalGeneration over gemma3_text"],
    [{ layer_types: ["full_attention", "sliding_attention"] }, "sliding_attention"],
    [{ use_sliding_window: true }, "Sliding-window"],
    [{ rope_scaling: { rope_type: "yarn", factor: 2 } }, "yarn"],
    [{ hidden_act: "gelu" }, "gelu"],
    [{ head_dim: 30 }, "headDim is 30"],
  ])("refuses %o by name", (text, name) => {
    const parse = () => parseConfig(wrap(text));
    expect(parse).toThrow(name);
    expect(parse).toThrow(expect.objectContaining({ code: "unknownArchitecture" }));
  });

  it.each([
    [null, "no JSON object"],
    [wrap({ hidden_size: "48" }), "hidden_size"],
    [wrap({ rope_scaling: { type: "mrope", mrope_section: [1, 2] } }), "three whole numbers"],
    [wrap({ rope_scaling: { type: "mrope", mrope_section: [1, 2, 4] } }), "mrope_section"],
    [wrap({ num_hidden_layers: 2.5 }), "num_hidden_layers"],
    [wrap({ num_key_value_heads: 4 }), "6 heads over 4"],
  ])("says what is wrong with a broken file", (json, what) => {
    expect(() => parseConfig(json)).toThrow(what);
    expect(() => parseConfig(json)).toThrow(expect.objectContaining({ code: "badModel" }));
  });

  it("refuses a container that it does not know", () => {
    const other = { model_type: "paligemma", architectures: ["PaliGemmaForConditionalGeneration"] };
    expect(() => parseConfig(wrap({}, other))).toThrow(
      "PaliGemmaForConditionalGeneration over llama",
    );
  });
});
