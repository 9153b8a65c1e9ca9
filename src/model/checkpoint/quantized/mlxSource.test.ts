import fs from "node:fs";
import { expect, it } from "vitest";
import { unpackF16 } from "@/gpu/packing";
import { memorySource, safetensors } from "../../../../test/memorySource";
import { readTensorMap } from "../safetensors";
import { pytorchSource } from "./mlxSource";

const FOLDER = "fixtures/families/smolvlm-mlx";
const QUANTIZATION = { group_size: 4, bits: 4 };
const HALF = 0x3800; // 0.5 in f16

/** Two rows of eight columns in 4 bits, a convolution of two 1 × 2 × 3 channels, and a bias. */
function stored(scaleColumns = 2) {
  const sizes = { weight: 8, scales: 4 * scaleColumns, kernel: 24, bias: 4 };
  const file = safetensors(
    {
      "m.weight": { dtype: "U32", shape: [2, 1], data_offsets: [0, 8] },
      "m.scales": { dtype: "F16", shape: [2, scaleColumns], data_offsets: [8, 8 + sizes.scales] },
      "m.biases": {
        ...{ dtype: "F16", shape: [2, scaleColumns] },
        data_offsets: [8 + sizes.scales, 8 + 2 * sizes.scales],
      },
      "c.weight": {
        ...{ dtype: "F16", shape: [2, 1, 2, 3] },
        data_offsets: [8 + 2 * sizes.scales, 32 + 2 * sizes.scales],
      },
      "m.bias": {
        ...{ dtype: "F16", shape: [2] },
        data_offsets: [32 + 2 * sizes.scales, 36 + 2 * sizes.scales],
      },
    },
    36 + 2 * sizes.scales,
  );
  const at = file.length - 36 - 2 * sizes.scales;
  const view = new DataView(file.buffer);
  view.setUint32(at, 0x76543210, true);
  view.setUint32(at + 4, 0xfedcba98, true);
  for (let i = 0; i < 2 * scaleColumns; i++) view.setUint16(at + 8 + 2 * i, HALF, true);
  const kernel = at + 8 + 2 * sizes.scales;
  for (let i = 0; i < 12; i++) view.setUint16(kernel + 2 * i, 0x3c00 + i, true);
  view.setUint16(kernel + 24, HALF, true);
  return memorySource({ "model.safetensors": file });
}

it("shows quantised matrices as f16, channels before places, and vectors as they are", async () => {
  const source = await pytorchSource(stored(), { quantization: QUANTIZATION });
  const tensors = await readTensorMap(source);
  expect([...tensors.keys()].sort()).toEqual(["c.weight", "m.bias", "m.weight"]);
  const { shape, dtype, start, end, file } = tensors.get("m.weight")!;
  expect([dtype, shape, end - start]).toEqual(["F16", [2, 8], 32]);
  const bytes = (await source.read(file, start, end)).slice();
  expect([...unpackF16(new Uint32Array(bytes.buffer))]).toEqual(
    Array.from({ length: 16 }, (_, code) => code / 2),
  );
  const kernel = tensors.get("c.weight")!;
  expect(kernel.shape).toEqual([2, 3, 1, 2]);
  const moved = (await source.read(file, kernel.start, kernel.end)).slice();
  const order = [...new Uint16Array(moved.buffer)].map((half) => half - 0x3c00);
  expect(order).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
});

it("gives any part of the file as the whole file has it", async () => {
  const directory = Object.fromEntries(
    ["model.safetensors"].map((name) => [
      name,
      Uint8Array.from(fs.readFileSync(`${FOLDER}/${name}`)),
    ]),
  );
  const json = JSON.parse(fs.readFileSync(`${FOLDER}/config.json`, "utf8"));
  const source = await pytorchSource(memorySource(directory), json);
  const size = (await source.size("model.safetensors"))!;
  const whole = await source.read("model.safetensors", 0, size);
  let seen = 0;
  const onBytes = (bytes: number) => {
    seen += bytes;
  };
  for (let start = 0; start < size; start += 9973) {
    const end = Math.min(size, start + 9973);
    const part = await source.read("model.safetensors", start, end, { onBytes });
    expect(Buffer.compare(part, whole.subarray(start, end))).toBe(0);
  }
  expect(seen).toBe(size);
});

it("leaves other checkpoints alone", async () => {
  const plain = memorySource({
    "model.safetensors": safetensors(
      { "c.weight": { dtype: "F32", shape: [1, 3, 2, 2], data_offsets: [0, 48] } },
      48,
    ),
  });
  expect(await pytorchSource(plain, {})).toBe(plain);
});

it("refuses other widths and methods by name", async () => {
  const bits = pytorchSource(stored(), { quantization_config: { quant_method: "gptq" } });
  await expect(bits).rejects.toThrow("quantised by gptq");
  const two = pytorchSource(stored(4), { quantization: QUANTIZATION });
  await expect(two).rejects.toThrow("The tensor m.weight is quantised to 2 bits");
});
