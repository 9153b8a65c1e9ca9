import type { Directory, Loose } from "./directory";
import { ELEMENT, OnnxGraph } from "./onnx";

/** What a directory must give in a browser, with ONNX Runtime. */
export interface ReportedDirectory {
  readonly name: string;
  change(directory: Directory): unknown;
  /** Questions without an image, with the ids that PyTorch gives; default: one about an image. */
  readonly questions?: readonly string[];
  readonly promptTokens?: readonly number[];
  /** Four ids per question, those of `transformers` 5.18; or what the refusal says. */
  readonly gives: readonly (readonly number[])[] | RegExp;
}

const CONFIG = "config.json";
const TOKENIZER = "tokenizer.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";
const PROCESSOR = "preprocessor_config.json";
const ENCODER = "onnx/vision_encoder.onnx";
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 568072\n`;
/** *What is this?* about the receipt of `fixtures/images`. */
const SAME = [[149, 230, 127, 394]];

const set = (file: string, fields: object) => (d: Directory) =>
  d.json(file, (json) => Object.assign(json, fields));

const withoutVision = (d: Directory) =>
  [...d.tensors()].filter(([name]) => !/vision|connector/.test(name));

/** Writes the ONNX encoder's file, and leaves the directory no other encoder. */
const onnxAlone = (content: string | ((graph: OnnxGraph) => OnnxGraph)) => (d: Directory) => {
  d.setTensors(new Map(withoutVision(d)));
  const graph = () => new OnnxGraph(d.files.get(ENCODER) as Uint8Array<ArrayBuffer>);
  d.write(ENCODER, typeof content === "string" ? content : content(graph()).bytes());
};

/** The language model alone, with a template that takes a text as content. */
const textModel = (template: string) => (d: Directory) => {
  d.remove(ENCODER, PROCESSOR, "processor_config.json").template(template);
  d.setTensors(
    new Map(
      withoutVision(d).map(([name, tensor]) => [
        name.replace("model.text_model.", "model."),
        tensor,
      ]),
    ),
  );
  const { text_config: text } = JSON.parse(d.text(CONFIG));
  const own = { architectures: ["LlamaForCausalLM"], tie_word_embeddings: false };
  d.write(CONFIG, JSON.stringify({ ...text, ...own }));
};

/** The image token is drawn wherever the third id of the answer would be. */
function emitsImageToken(d: Directory) {
  const [IMAGE, DRAWN, WIDTH] = [4, 149, 64];
  d.tensor("lm_head.weight", ({ data }) => {
    const rows = new Uint16Array(data.buffer);
    const row = (id: number) => rows.subarray(id * WIDTH, (id + 1) * WIDTH);
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    for (const [i, half] of row(DRAWN).entries()) {
      bits[0] = half << 16;
      float[0] = (float[0] as number) * 1.5;
      row(IMAGE)[i] = (bits[0] as number) >>> 16;
    }
    return undefined;
  });
}

function addedTokensElsewhere(d: Directory) {
  const hidden = ["<image>", "<end_of_utterance>", "<fake_token_around_image>"];
  const added: Loose[] = JSON.parse(d.text(TOKENIZER)).added_tokens;
  d.json(TOKENIZER, (json) =>
    Object.assign(json, {
      added_tokens: added.filter(({ content }) => !hidden.includes(content)),
    }),
  );
  const decoder = Object.fromEntries(added.map(({ id, ...token }) => [id, token]));
  set(TOKENIZER_CONFIG, { added_tokens_decoder: decoder })(d);
}

/** Kinds of directories that people reported as broken elsewhere, in public bug reports. */
export const REPORTED: readonly ReportedDirectory[] = [
  {
    name: "text-chatml",
    change: textModel(
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<end_of_utterance>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    ),
    questions: ["Hello there", "And now?"],
    promptTokens: [19, 21],
    gives: [
      [257, 106, 207, 299],
      [26, 202, 149, 72],
    ],
  },
  {
    name: "text-trim",
    change: textModel(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n\n{{ m.content | trim }}<end_of_utterance>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n\n{% endif %}",
    ),
    questions: ["Hello there", "And now?"],
    promptTokens: [20, 21],
    gives: [
      [295, 295, 94, 1],
      [26, 202, 149, 72],
    ],
  },
  { name: "base", change: () => undefined, gives: SAME },
  { name: "emits-image-token", change: emitsImageToken, gives: SAME },
  {
    name: "seq-len-8",
    change: set("processor_config.json", { image_seq_len: 8 }),
    gives: /8 rows per tile.*16 features/,
  },
  {
    name: "seq-len-25",
    change: set("processor_config.json", { image_seq_len: 25 }),
    gives: /25 rows per tile.*16 features/,
  },
  {
    name: "tile-not-encoder-size",
    change: set(PROCESSOR, { max_image_size: { longest_edge: 32 } }),
    gives: /preprocessor_config\.json cuts tiles of 32 pixels/,
  },
  {
    name: "size-without-longest-edge",
    change: (d) => d.json(PROCESSOR, (json) => delete json.size),
    gives: /preprocessor_config\.json scales images to size\.longest_edge 1456/,
  },
  {
    name: "two-templates",
    change: set(TOKENIZER_CONFIG, {
      chat_template:
        "{% for m in messages %}{{m['role']}}: {{m['content']}}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    }),
    gives: SAME,
  },
  {
    name: "template-raises",
    change: (d) => d.template("{{ raise_exception('Only text content is allowed') }}"),
    gives: /chat template/,
  },
  { name: "added-tokens-in-config-only", change: addedTokensElsewhere, gives: SAME },
  {
    name: "image-token-not-special",
    change: (d) =>
      d.json(TOKENIZER, (json) => {
        for (const token of json.added_tokens)
          if (token.content === "<image>") token.special = false;
      }),
    gives: SAME,
  },
  {
    name: "special-token-as-plain-dict",
    change: set(TOKENIZER_CONFIG, { eos_token: { content: "<end_of_utterance>", lstrip: false } }),
    gives: SAME,
  },
  {
    name: "rope-scaling-beside-parameters",
    change: (d) =>
      d.json(CONFIG, ({ text_config: text }) =>
        Object.assign(text, { rope_scaling: { rope_type: "linear", factor: 4 } }),
      ),
    gives: [[149, 347, 318, 77]],
  },
  {
    name: "rope-partial-in-parameters",
    change: (d) =>
      d.json(CONFIG, ({ text_config: text }) =>
        Object.assign(text.rope_parameters, { partial_rotary_factor: 0.5 }),
      ),
    gives: /Rotating a part of each head/,
  },
  {
    name: "zero-size-tensor",
    change: (d) => {
      const tensors = [...d.tensors()];
      const empty = { dtype: "F32", shape: [0], data: new Uint8Array(0) };
      d.setTensors(new Map([["extra.empty", empty], ...tensors]));
    },
    gives: SAME,
  },
  {
    name: "unneeded-f8-scale",
    change: (d) => {
      const scale = { dtype: "F8_E8M0", shape: [4], data: new Uint8Array(4) };
      d.setTensors(new Map([...d.tensors(), ["extra.scale", scale]]));
    },
    gives: SAME,
  },
  {
    name: "lfs-pointer-weights",
    change: (d) => d.write("model.safetensors", POINTER),
    gives: /model\.safetensors is a Git LFS pointer/,
  },
  {
    name: "lfs-pointer-onnx",
    change: onnxAlone(POINTER),
    gives: /vision_encoder\.onnx is a Git LFS pointer/,
  },
  {
    name: "onnx-pooled-output-first",
    change: onnxAlone((graph) =>
      graph
        .numbers("axis", [1])
        .node("ReduceMean", ["image_features", "axis"], "pooled", { keepdims: 0 })
        .outputs({ pooled: ELEMENT.float32, image_features: ELEMENT.float32 }),
    ),
    gives: SAME,
  },
  {
    name: "onnx-pooled-output-alone",
    change: onnxAlone((graph) =>
      graph
        .numbers("axis", [1])
        .node("ReduceMean", ["image_features", "axis"], "pooled", { keepdims: 0 })
        .outputs({ pooled: ELEMENT.float32 }),
    ),
    gives: /vision_encoder\.onnx gives .*16, 64/,
  },
  {
    name: "onnx-f16-output",
    change: onnxAlone((graph) =>
      graph
        .node("Cast", ["image_features"], "halves", { to: ELEMENT.float16 })
        .outputs({ halves: ELEMENT.float16 }),
    ),
    gives: /vision_encoder\.onnx gives halves \(float16/,
  },
  {
    name: "onnx-flat-output",
    change: onnxAlone((graph) =>
      graph
        .numbers("shape", [-1, 64])
        .node("Reshape", ["image_features", "shape"], "flat")
        .outputs({ flat: ELEMENT.float32 }),
    ),
    gives: SAME,
  },
  {
    name: "onnx-external-data",
    change: onnxAlone((graph) => graph.external("vision_encoder.onnx_data")),
    gives: /vision_encoder\.onnx keeps its weights in a second file, vision_encoder\.onnx_data/,
  },
  {
    name: "onnx-not-a-model",
    change: onnxAlone("not a model"),
    gives: /vision_encoder\.onnx cannot be run here/,
  },
];
