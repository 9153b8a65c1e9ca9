import type { Directory, Loose } from "./directory";

/** A changed directory of a family: refused by a sentence when it is loaded or asked about an image, or it answers. */
interface HostileFamily {
  /** A folder of `fixtures/families`. */
  readonly family: string;
  readonly name: string;
  change(directory: Directory): unknown;
  /** In the sentence of the refusal; undefined: it answers. */
  readonly refused?: RegExp;
}

const CONFIG = "config.json";
const PROCESSOR = "preprocessor_config.json";
const COUNTS = "processor_config.json";
const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

const refused = (
  family: string,
  name: string,
  words: RegExp,
  change: HostileFamily["change"],
): HostileFamily => ({ family, name, change, refused: words });
const answers = (family: string, name: string, change: HostileFamily["change"]): HostileFamily => ({
  family,
  name,
  change,
});

/** One field of a JSON file, by its path, and what it becomes. */
type Field = readonly [file: string, field: string, value: unknown, words: RegExp];

/** Each field of its own. */
const fields = (family: string, list: readonly Field[]) =>
  list.map(([file, field, value, words]) =>
    refused(family, `${field}: ${JSON.stringify(value)?.slice(0, 60)}`, words, (d) =>
      d.json(file, (json) => set(json, field, value)),
    ),
  );

function set(json: Loose, field: string, value: unknown): void {
  const path = field.split(".");
  const last = path.pop() as string;
  path.reduce((at, name) => at[name], json)[last] = value;
}

const QWEN: readonly HostileFamily[] = [
  ...["qwen2-vl", "qwen2.5-vl", "qwen3-vl"].flatMap((family) =>
    fields(family, [
      [CONFIG, "vision_config.patch_size", 1e9, /tensor|patches/],
      [CONFIG, "vision_config.spatial_merge_size", 1e6, /tensor|patches/],
      [CONFIG, "vision_config.temporal_patch_size", 3, /tensor|patches/],
      [CONFIG, "vision_config.depth", 1e9, /layers/],
      [CONFIG, "vision_config.num_heads", 0, /num_heads/],
      [PROCESSOR, "min_pixels", 1e15, /limits/],
      [PROCESSOR, "max_pixels", -1, /limits/],
      [PROCESSOR, "temporal_patch_size", 4, /patches/],
      [PROCESSOR, "merge_size", "2", /patches/],
      [PROCESSOR, "do_resize", false, /do_resize/],
    ]),
  ),
  ...fields("qwen3-vl", [
    [CONFIG, "vision_config.deepstack_visual_indexes", [0, 1e9], /deepstack_visual_indexes/],
    [CONFIG, "vision_config.deepstack_visual_indexes", [-1, 2], /deepstack_visual_indexes/],
    [CONFIG, "vision_config.deepstack_visual_indexes", [2, 2], /deepstack_visual_indexes/],
    [CONFIG, "vision_config.deepstack_visual_indexes", { length: 2 }, /deepstack_visual_indexes/],
    [CONFIG, "vision_config.num_position_embeddings", 2, /tensor/],
    [CONFIG, "vision_config.in_channels", 4, /channels/],
    [CONFIG, "text_config.rope_scaling.mrope_section", [1e9, 4, 4], /mrope_section/],
    [CONFIG, "text_config.rope_scaling.mrope_section", [0, 0, 14.5], /mrope_section/],
  ]),
  ...fields("qwen2.5-vl", [
    [CONFIG, "vision_config.fullatt_block_indexes", [99], /fullatt_block_indexes/],
    [CONFIG, "vision_config.window_size", 0, /window_size/],
  ]),
];

const TILED: readonly HostileFamily[] = [
  ...fields("internvl3", [
    [PROCESSOR, "do_resize", false, /do_resize/],
    [PROCESSOR, "size", { height: 38, width: 76 }, /size/],
    [PROCESSOR, "size", "38", /size/],
    [PROCESSOR, "min_patches", 9, /min_patches/],
    [PROCESSOR, "max_patches", 1e9, /max_patches/],
    [COUNTS, "image_seq_length", 256, /image_seq_length/],
    [CONFIG, "downsample_ratio", 1e-9, /fold/],
    [CONFIG, "downsample_ratio", "0.5", /fold/],
    [CONFIG, "vision_config.patch_size", [9, 10], /patch_size/],
  ]),
  ...fields("llava-1.5", [
    [PROCESSOR, "crop_size", { height: 59, width: 30 }, /crop_size/],
    [PROCESSOR, "do_center_crop", false, /do_center_crop/],
    [PROCESSOR, "size", { shortest_edge: 1e9 }, /pixels/],
    [PROCESSOR, "size", { height: 59, width: 59 }, /pixels/],
    [COUNTS, "patch_size", 16, /patch_size/],
    [CONFIG, "vision_feature_layer", [-2, -5], /vision_feature_layer/],
    [CONFIG, "vision_feature_select_strategy", "full", /full/],
  ]),
  ...fields("llava-next-mistral", [
    [PROCESSOR, "image_grid_pinpoints", [["40", "80"]], /image_grid_pinpoints/],
    [PROCESSOR, "image_grid_pinpoints", [[4e6, 4e6]], /image_grid_pinpoints/],
    [PROCESSOR, "image_grid_pinpoints", [[{ toString: 1 }, 40]], /image_grid_pinpoints/],
    [PROCESSOR, "image_grid_pinpoints", { 0: [40, 80] }, /image_grid_pinpoints/],
    [PROCESSOR, "crop_size", { height: 80, width: 80 }, /crop_size/],
    [PROCESSOR, "size", { shortest_edge: 80 }, /size/],
  ]),
  ...fields("llava-onevision", [
    [COUNTS, "num_image_tokens", 81, /rows per tile/],
    [COUNTS, "vision_aspect_ratio", "anyres_max_-1", /vision_aspect_ratio/],
    [PROCESSOR, "size", { height: 384, width: 384 }, /size/],
  ]),
];

/** Weights in several files, and MLX's. */
const WEIGHT_FILES: readonly HostileFamily[] = [
  refused("llava-1.5", "a tensor in two files", /00002.*holds/, (d) =>
    d.write("model-00002-of-00002.safetensors", d.files.get("model-00001-of-00002.safetensors")!),
  ),
  refused("llava-1.5", "a file that is missing", /00002-of-00002/, (d) =>
    d.remove("model-00002-of-00002.safetensors"),
  ),
  refused("llava-1.5", "an index that names itself", /index\.json/, (d) =>
    d.json(INDEX, (json) => Object.assign(json.weight_map, { a: INDEX })),
  ),
  refused("llava-1.5", "a file name with a line break", /names the file/, (d) =>
    d.json(INDEX, (json) => Object.assign(json.weight_map, { a: "one\n.safetensors" })),
  ),
  refused("llava-1.5", "a file name that turns the sentence around", /no file/, (d) =>
    d.json(INDEX, (json) => Object.assign(json.weight_map, { a: "\u202eone.safetensors" })),
  ),
  refused("llava-1.5", "a file name with a percent sign", /no file 100%/, (d) =>
    d.json(INDEX, (json) => Object.assign(json.weight_map, { a: "100%.safetensors" })),
  ),
  refused("smolvlm-mlx", "a group size that is a fraction", /scales and biases/, (d) =>
    d.json(CONFIG, (json) => Object.assign(json.quantization, { group_size: 32.5 })),
  ),
  refused("smolvlm-mlx", "a group size of another conversion", /tensor|bits/, (d) =>
    d.json(CONFIG, (json) => Object.assign(json.quantization, { group_size: 64 })),
  ),
  refused("smolvlm-mlx", "scales of whole numbers", /scales and biases/, (d) =>
    d.header((header) => {
      for (const [name, tensor] of Object.entries<Loose>(header)) {
        if (name.endsWith(".scales")) tensor.dtype = "I16";
      }
    }),
  ),
  refused("smolvlm-mlx", "scales with another shape", /scales and biases/, (d) =>
    d.header((header) => {
      const name = Object.keys(header).find((each) => each.endsWith("down_proj.scales"))!;
      header[name].shape = [header[name].shape[0] * header[name].shape[1]];
    }),
  ),
];

/** JSON that other languages write, and numbers beyond f32. */
const JSONS: readonly HostileFamily[] = [
  answers("llama", "a byte order mark", (d) => d.write(CONFIG, `\ufeff${d.text(CONFIG)}`)),
  refused("llama", "NaN, as Python writes it", /config\.json is not valid JSON/, (d) =>
    d.write(CONFIG, d.text(CONFIG).replace("{", '{"x": NaN,')),
  ),
  refused("llama", "UTF-16", /config\.json is not valid JSON/, (d) =>
    d.write(CONFIG, new Uint8Array(Buffer.from(`\ufeff${d.text(CONFIG)}`, "utf16le"))),
  ),
  ...["rope_theta", "rms_norm_eps"].flatMap((field) =>
    ["1e400", "1e300", "1e-300", "-0"].map((value) =>
      refused("llama", `${field} of ${value}`, new RegExp(field), (d) =>
        d.write(
          CONFIG,
          d
            .text(CONFIG)
            .replace(new RegExp(`"${field}":[^,}]*`), "")
            .replace(/,\s*,/, ",")
            .replace("{", `{"${field}": ${value},`),
        ),
      ),
    ),
  ),
  refused("llama", "llama3 scaling without a range", /high_freq_factor/, (d) =>
    d.json(CONFIG, (json) => {
      json.rope_scaling = {
        ...{ rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 },
        original_max_position_embeddings: 64,
      };
    }),
  ),
  answers("llama", "a context of nine quadrillion tokens", (d) =>
    d.json(CONFIG, (json) => Object.assign(json, { max_position_embeddings: 2 ** 53 - 1 })),
  ),
  answers("llama", "twenty megabytes that nobody reads", (d) =>
    d.json(CONFIG, (json) => Object.assign(json, { x: "x".repeat(2e7) })),
  ),
  refused("llama", "a data type of a thousand characters", /is stored as Q+…/, (d) =>
    d.header((header) => {
      header["model.norm.weight"].dtype = "Q".repeat(1000);
    }),
  ),
  refused("llama", "weights named like a prototype", /lack the tensor/, (d) =>
    d.write(WEIGHTS, d.files.get(WEIGHTS)!).header((header) => {
      const { "model.norm.weight": norm, ...rest } = header;
      for (const name of Object.keys(header)) delete header[name];
      Object.assign(header, rest, { constructor: norm });
    }),
  ),
];

export const HOSTILE_FAMILIES: readonly HostileFamily[] = [
  ...QWEN,
  ...TILED,
  ...WEIGHT_FILES,
  ...JSONS,
];
