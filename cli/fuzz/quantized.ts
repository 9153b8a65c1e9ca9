import fs from "node:fs";
import { pytorchSource } from "@/model/checkpoint/quantized/mlxSource";
import { readTensorMap, type TensorInfo } from "@/model/checkpoint/safetensors";
import { ModelError } from "@/model/modelError";
import { mutatedJson } from "./mutate";
import { ensure, type FuzzTarget, parsed, readOrRefused, safetensors } from "./target";

const FOLDER = "fixtures/families/smolvlm-mlx";
const FILE = "model.safetensors";

/** The header of MLX's weights and its `quantization`: every tensor is read, or the directory is refused. */
export function quantizedWeights(): FuzzTarget<string> {
  const stored = new Uint8Array(fs.readFileSync(`${FOLDER}/${FILE}`));
  const length = Number(new DataView(stored.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(stored.subarray(8, 8 + length)));
  const data = stored.subarray(8 + length);
  const names = Object.keys(header).filter((name) => /layers\.0\.mlp|patch_embed/.test(name));
  const part = Object.fromEntries(names.map((name) => [name, header[name]]));
  const { quantization } = JSON.parse(fs.readFileSync(`${FOLDER}/config.json`, "utf8"));
  return {
    name: "quantized",
    inputs: mutatedJson([JSON.stringify({ header: part, quantization })]),
    async check(text) {
      const json = parsed(text);
      const file = safetensors(JSON.stringify(json.header) ?? "", data);
      const source = {
        size: async (name: string) => (name === FILE ? file.length : undefined),
        read: async (_: string, start: number, end: number) => file.slice(start, end),
      };
      const read = async () => {
        const made = await pytorchSource(source, json);
        return [made, [...(await readTensorMap(made)).values()]] as const;
      };
      const found = await readOrRefused(read, [ModelError]);
      if (!found) return;
      const [made, tensors] = found;
      for (const tensor of tensors) await checkRead(made, tensor);
    },
  };
}

async function checkRead(
  source: Awaited<ReturnType<typeof pytorchSource>>,
  { file, name, start, end }: TensorInfo,
): Promise<void> {
  const bytes = await source.read(file, start, end);
  ensure(bytes.length === end - start, `${name} has ${bytes.length} of ${end - start} bytes`);
}
