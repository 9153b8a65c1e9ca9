import type { Directory, Loose } from "./directory";

/** A directory that must be refused with a sentence, or answer as the unchanged one does. */
interface HostileDirectory {
  readonly name: string;
  change(directory: Directory): unknown;
  /** In the sentence of the refusal; undefined: the answer is that of the unchanged directory. */
  readonly refused?: RegExp;
}

const CONFIG = "config.json";
const WEIGHTS = "model.safetensors";
const TOKENIZER = "tokenizer.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";
const PROCESSOR = "preprocessor_config.json";
const GENERATION = "generation_config.json";
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 568072\n`;
const PAGE = "<!DOCTYPE html><html><body>Not found</body></html>";
const NORM = "model.text_model.layers.1.input_layernorm.weight";
const UP = "model.text_model.layers.1.mlp.up_proj.weight";
const VISION = "model.vision_model.encoder.layers.0.mlp.fc1.weight";

const answers = (name: string, change: HostileDirectory["change"]): HostileDirectory => ({
  name,
  change,
});
const refused = (
  name: string,
  words: RegExp,
  change: HostileDirectory["change"],
): HostileDirectory => ({ name, change, refused: words });

/** Files that are missing, cut off or something else. */
const FILES: readonly HostileDirectory[] = [
  ...[CONFIG, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, PROCESSOR].flatMap((file) => [
    refused(`no ${file}`, new RegExp(file), (d) => d.remove(file)),
    refused(`an empty ${file}`, new RegExp(file), (d) => d.write(file, "")),
    refused(`half of ${file}`, new RegExp(file), (d) =>
      d.write(file, (d.files.get(file) as Uint8Array<ArrayBuffer>).slice(0, 200)),
    ),
    refused(`a web page as ${file}`, new RegExp(file), (d) => d.write(file, PAGE)),
    refused(`a Git LFS pointer as ${file}`, new RegExp(file), (d) => d.write(file, POINTER)),
  ]),
  ...[CONFIG, TOKENIZER, TOKENIZER_CONFIG, PROCESSOR, GENERATION].flatMap((file) => [
    refused(`a number as ${file}`, new RegExp(file), (d) => d.write(file, "7")),
    refused(`null as ${file}`, new RegExp(file), (d) => d.write(file, "null")),
    refused(`deep nesting in ${file}`, new RegExp(file), (d) =>
      d.write(file, "[".repeat(100_000) + "]".repeat(100_000)),
    ),
  ]),
  answers("no generation_config.json", (d) => d.remove(GENERATION)),
  answers("no ONNX file", (d) => d.remove("onnx/vision_encoder.onnx")),
  answers("no processor_config.json", (d) => d.remove("processor_config.json")),
  refused("no chat template", /chat template/, (d) =>
    d.remove("chat_template.jinja", "chat_template.json").json(TOKENIZER_CONFIG, (json) => {
      delete json.chat_template;
    }),
  ),
];

/** A field of the language model, or one of `config.json` itself (`/field`), and its value. */
const FIELDS: readonly (readonly [field: string, value: unknown, words: RegExp])[] = [
  ["/model_type", "mamba", /not supported/],
  ["/model_type", { a: 1 }, /not supported/],
  ["/model_type", "__proto__", /not supported/],
  ["/text_config", "none", /config\.json|tensor|embed|layers|architecture/i],
  ["/vision_config", 3, /vision_config/],
  ["/image_token_id", "<image>", /image_token_id/],
  ["/image_token_id", 1e9, /image/],
  ["/scale_factor", 3, /fold|patches/],
  ["/scale_factor", 0, /fold|patches|scale_factor/],
  ["model_type", "gpt2", /not supported/],
  ["hidden_act", "relu", /relu/],
  ["hidden_act", ["x".repeat(10_000)], /activation/],
  ["hidden_size", 0, /hidden_size/],
  ["hidden_size", -64, /hidden_size/],
  ["hidden_size", 1e308, /hidden|tensor|whole/],
  ["hidden_size", 66, /multiple|hidden/],
  ["hidden_size", 128, /tensor/],
  ["num_hidden_layers", 1e9, /layers/],
  ["num_hidden_layers", 1.5, /num_hidden_layers/],
  ["num_hidden_layers", "3", /num_hidden_layers/],
  ["num_hidden_layers", 4, /layers\.3/],
  ["num_attention_heads", 0, /num_attention_heads/],
  ["num_attention_heads", 1e9, /tensor/],
  ["num_key_value_heads", 3, /heads/],
  ["head_dim", 18, /multiple|headDim/],
  ["head_dim", 2 ** 40, /tensor/],
  ["intermediate_size", null, /tensor|intermediate/],
  ["vocab_size", 1e12, /tensor/],
  ["vocab_size", 5, /tensor/],
  ["rms_norm_eps", 0, /rms_norm_eps/],
  ["rms_norm_eps", "1e-5", /rms_norm_eps/],
  ["max_position_embeddings", 0, /max_position_embeddings/],
  ["max_position_embeddings", 60, /longest_edge|context/],
  ["partial_rotary_factor", 0.5, /[Rr]otat/],
  ["rope_scaling", { rope_type: "yarn", factor: 4 }, /yarn/],
  ["rope_scaling", { rope_type: "linear" }, /factor/],
  ["rope_scaling", { rope_type: "linear", factor: "4" }, /factor/],
  ["layer_types", ["sliding_attention"], /sliding_attention/],
  ["attention_bias", true, /bias/],
  ["mlp_bias", true, /bias/],
];

const CONFIGS: readonly HostileDirectory[] = [
  ...FIELDS.map(([field, value, words]) =>
    refused(`${field}: ${JSON.stringify(value).slice(0, 40)}`, words, (d) =>
      d.json(CONFIG, (json) => {
        if (field.startsWith("/")) json[field.slice(1)] = value;
        else json.text_config[field] = value;
      }),
    ),
  ),
  ...Object.entries({
    image_size: [0, 1e9, "64", 70],
    patch_size: [0, 1e9, 128],
    num_hidden_layers: [1e9, -1, 3],
    hidden_size: [1e15, 62],
    num_attention_heads: [0, 5],
    num_channels: [1, 0],
    hidden_act: ["swish-of-my-own"],
    layer_norm_eps: ["small"],
  }).flatMap(([field, values]) =>
    values.map((value) =>
      refused(
        `vision ${field}: ${value}`,
        /vision|image_size|tensor|tiles|patches|layers|rows/,
        (d) =>
          d.json(CONFIG, (json) => {
            json.vision_config[field] = value;
          }),
      ),
    ),
  ),
  answers("unknown fields and prototype names", (d) =>
    d.write(
      CONFIG,
      d
        .text(CONFIG)
        .replace("{", '{"__proto__": {"hidden_size": 1}, "constructor": 3, "x": [[[{}]]],'),
    ),
  ),
];

/** Weights whose header or numbers are wrong. */
const TENSORS: readonly HostileDirectory[] = [
  refused("a header that claims more than the file", /header/, (d) => {
    const bytes = d.files.get(WEIGHTS) as Uint8Array<ArrayBuffer>;
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 60n, true);
  }),
  refused("a header that is a list", /header/, (d) => d.setHeader([])),
  refused("an empty header", /embed_tokens/, (d) => d.setHeader({})),
  refused("a header of numbers", /model\.safetensors/, (d) => d.setHeader({ a: 1, [UP]: 2 })),
  refused("a tensor before the data", /cannot be read/, (d) =>
    d.header((header) => Object.assign(header[UP], { data_offsets: [-8, 0] })),
  ),
  refused("a tensor beyond the file", /ends inside|bytes/, (d) =>
    d.header((header) => {
      const [start, end] = header[UP].data_offsets;
      header[UP].data_offsets = [start + 1e9, end + 1e9];
    }),
  ),
  refused("two tensors over one another", /overlap/, (d) =>
    d.header((header) =>
      Object.assign(header[UP], { data_offsets: header[UP.replace("up", "gate")].data_offsets }),
    ),
  ),
  refused("a shape of fractions", /cannot be read/, (d) =>
    d.header((header) => Object.assign(header[UP], { shape: [0.5, 20_480] })),
  ),
  refused("a shape that is too large", /bytes/, (d) =>
    d.header((header) => Object.assign(header[UP], { shape: [2 ** 31, 2 ** 31] })),
  ),
  refused("a turned shape", /up_proj/, (d) => d.header((header) => header[UP].shape.reverse())),
  refused("a needed tensor of an unknown type", /up_proj/, (d) =>
    d.header((header) => Object.assign(header[UP], { dtype: "F8_E8M0" })),
  ),
  refused("a needed tensor of whole numbers", /up_proj/, (d) =>
    d.header((header) => Object.assign(header[UP], { dtype: "I16" })),
  ),
  refused("one matrix of another type", /up_proj|F16/, (d) =>
    d.header((header) => Object.assign(header[UP], { dtype: "F16" })),
  ),
  refused("all matrices of another type than the data", /not stored as F16/, (d) =>
    d.header((header) => {
      for (const tensor of Object.values<Loose>(header))
        if (tensor.dtype === "BF16") tensor.dtype = "F16";
    }),
  ),
  refused("a matrix without a value", /up_proj.*zeros/, (d) =>
    d.tensor(UP, (t) => void t.data.fill(0)),
  ),
  refused("a norm without a value", /layernorm.*zeros/, (d) =>
    d.tensor(NORM, (t) => void t.data.fill(0)),
  ),
  refused("a norm of infinities", /layernorm.*infinite/, (d) =>
    d.tensor(NORM, (t) => void new Uint16Array(t.data.buffer).fill(0x7f80)),
  ),
  refused("one weight that is no number", /up_proj.*infinite/, (d) =>
    d.tensor(UP, (t) => void new Uint16Array(t.data.buffer).set([0xffff], 1000)),
  ),
  refused("a vision weight that is no number", /fc1.*infinite/, (d) =>
    d.tensor(VISION, (t) => void new Uint16Array(t.data.buffer).set([0x7fc0], 7)),
  ),
  refused("a vision matrix without a value", /fc1.*zeros/, (d) =>
    d.tensor(VISION, (t) => void t.data.fill(0)),
  ),
  ...[
    "model.text_model.norm.weight",
    UP,
    NORM,
    "lm_head.weight",
    "model.text_model.embed_tokens.weight",
  ].map((name) =>
    refused(`no tensor ${name}`, new RegExp(name.split(".").slice(-2).join("\\.")), (d) => {
      const tensors = d.tensors();
      tensors.delete(name);
      d.setTensors(tensors);
    }),
  ),
  answers("tensors that nobody needs", (d) => {
    const tensors = d.tensors();
    tensors.set("extra.empty", { dtype: "F32", shape: [0], data: new Uint8Array(0) });
    tensors.set("extra.scale", { dtype: "F8_E8M0", shape: [4], data: new Uint8Array(4) });
    tensors.set("__proto__.weight", { dtype: "I64", shape: [], data: new Uint8Array(8) });
    d.setTensors(tensors);
  }),
  answers("tensors in another order", (d) => d.setTensors(new Map([...d.tensors()].reverse()))),
  refused("an index of files elsewhere", /\.\./, (d) =>
    d
      .remove(WEIGHTS)
      .write("model.safetensors.index.json", '{"weight_map": {"a": "../../secret"}}'),
  ),
  refused("an index of missing files", /one\.safetensors/, (d) =>
    d
      .remove(WEIGHTS)
      .write("model.safetensors.index.json", '{"weight_map": {"a": "one.safetensors"}}'),
  ),
  refused("an index without a map", /weight_map/, (d) =>
    d.remove(WEIGHTS).write("model.safetensors.index.json", "{}"),
  ),
];

const tokenizer = (change: (json: Loose) => unknown) => (d: Directory) => d.json(TOKENIZER, change);

/** Tokenizers, templates and ids. */
const TEXTS: readonly HostileDirectory[] = [
  refused(
    "a tokenizer without a model",
    /tokenizer\.json/,
    tokenizer((json) => void delete json.model),
  ),
  answers(
    "a tokenizer of an unnamed kind",
    tokenizer((json) => Object.assign(json.model, { type: "Own" })),
  ),
  refused(
    "a tokenizer without a vocabulary",
    /tokenizer\.json/,
    tokenizer((json) => Object.assign(json.model, { vocab: {} })),
  ),
  refused(
    "a vocabulary of objects",
    /tokenizer\.json/,
    tokenizer((json) => {
      for (const token of Object.keys(json.model.vocab)) json.model.vocab[token] = { id: 1 };
    }),
  ),
  refused(
    "merges that are no pairs",
    /tokenizer\.json/,
    tokenizer((json) => Object.assign(json.model, { merges: [1, 2] })),
  ),
  refused(
    "an unknown splitter",
    /tokenizer\.json/,
    tokenizer((json) => Object.assign(json, { pre_tokenizer: { type: "Own" } })),
  ),
  refused(
    "a splitter that is no pattern",
    /tokenizer\.json/,
    tokenizer((json) => {
      json.pre_tokenizer = {
        type: "Split",
        pattern: { Regex: "(" },
        behavior: "Isolated",
        invert: false,
      };
    }),
  ),
  refused(
    "ids beyond the vocabulary",
    /token/,
    tokenizer((json) => {
      for (const token of Object.keys(json.model.vocab)) json.model.vocab[token] += 1e6;
    }),
  ),
  refused(
    "no image token",
    /image|tokens/,
    tokenizer((json) => {
      json.added_tokens = json.added_tokens.filter((token: Loose) => token.content !== "<image>");
    }),
  ),
  answers("a special token as a plain object", (d) =>
    d.json(TOKENIZER_CONFIG, (json) => {
      json.eos_token = { content: json.eos_token, lstrip: false };
    }),
  ),
  answers("an unknown class of tokenizers", (d) =>
    d.json(TOKENIZER_CONFIG, (json) => Object.assign(json, { tokenizer_class: "__proto__" })),
  ),
  refused("a template that raises", /chat template/, (d) =>
    d.template("{{ raise_exception('No') }}"),
  ),
  refused("a template that is no template", /chat template/, (d) => d.template("{% for %}{{")),
  refused("a template that writes nothing", /chat template|prompt/, (d) => d.template("")),
  refused("a template that leaves the question out", /question|chat template/, (d) =>
    d.template("<|im_start|>"),
  ),
  refused("a template of an unknown filter", /chat template/, (d) =>
    d.template("{{ messages | own_filter }}"),
  ),
  refused("a stop id that is text", /eos_token_id/, (d) =>
    d.json(GENERATION, (json) => Object.assign(json, { eos_token_id: "5" })),
  ),
  refused("a stop id that is an object", /eos_token_id/, (d) =>
    d.json(GENERATION, (json) => Object.assign(json, { eos_token_id: { id: 5 } })),
  ),
  refused("no stop id", /eos_token_id/, (d) =>
    d.remove(GENERATION).json(CONFIG, (json) => void delete json.text_config.eos_token_id),
  ),
  answers("an empty list of stop ids", (d) =>
    d.json(GENERATION, (json) => Object.assign(json, { eos_token_id: [] })),
  ),
];

/** The image processor. */
const PROCESSORS: readonly HostileDirectory[] = [
  ...Object.entries({
    image_processor_type: ["OwnImageProcessor", 4],
    size: [
      { longest_edge: 0 },
      { longest_edge: "128" },
      { longest_edge: 1e9 },
      { shortest_edge: 3 },
      null,
    ],
    max_image_size: [{ longest_edge: 0 }, { longest_edge: 32 }, { longest_edge: 1e9 }, "64"],
    image_mean: [[0.5], ["a", "b", "c"], [null, 0, 0]],
    image_std: [[0, 0.5, 0.5], [-1, -1, -1], 0],
    rescale_factor: [0, "1/255", -1],
    resample: [9, "lanczos"],
  }).flatMap(([field, values]) =>
    values.map((value) =>
      refused(`processor ${field}: ${JSON.stringify(value)}`, /preprocessor_config|images/i, (d) =>
        d.json(PROCESSOR, (json) => {
          json[field] = value;
        }),
      ),
    ),
  ),
  refused("no longest edge", /preprocessor_config\.json/, (d) =>
    d.json(PROCESSOR, (json) => void delete json.size),
  ),
  ...[8, 25, "16", null, -1, 1e9].map((rows) =>
    rows === null
      ? answers("image_seq_len: null", (d) =>
          d.json("processor_config.json", (json) => Object.assign(json, { image_seq_len: null })),
        )
      : refused(`image_seq_len: ${rows}`, /processor_config\.json has/, (d) =>
          d.json("processor_config.json", (json) => Object.assign(json, { image_seq_len: rows })),
        ),
  ),
];

export const HOSTILE: readonly HostileDirectory[] = [
  ...FILES,
  ...CONFIGS,
  ...TENSORS,
  ...TEXTS,
  ...PROCESSORS,
];
