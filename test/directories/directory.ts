import fs from "node:fs";
import path from "node:path";

const TINY = "public/models/tiny-smolvlm";

/** JSON that a change may write anything into. */
// biome-ignore lint/suspicious/noExplicitAny: changes write what no type allows.
export type Loose = any;

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A model directory in memory: `public/models/tiny-smolvlm`, changed. */
export class Directory {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(folder = TINY) {
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const file = path.join(folder, name);
      if (fs.statSync(file).isFile()) this.files.set(name, new Uint8Array(fs.readFileSync(file)));
    }
  }

  /** For `LoadRequest.files`. */
  get blobs(): ReadonlyMap<string, Blob> {
    return new Map([...this.files].map(([name, bytes]) => [name, new Blob([bytes])]));
  }

  text(name: string): string {
    return new TextDecoder().decode(this.files.get(name));
  }

  write(name: string, content: string | Uint8Array<ArrayBuffer>): this {
    this.files.set(name, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return this;
  }

  remove(...names: readonly string[]): this {
    for (const name of names) this.files.delete(name);
    return this;
  }

  /** Changes a JSON file. */
  json(name: string, change: (json: Loose) => unknown): this {
    const json: Loose = JSON.parse(this.text(name));
    change(json);
    return this.write(name, JSON.stringify(json));
  }

  /** Replaces both of the processor's templates, and the tokenizer's. */
  template(jinja: string): this {
    this.remove("chat_template.jinja", "chat_template.json");
    return this.json("tokenizer_config.json", (json) =>
      Object.assign(json, { chat_template: jinja }),
    );
  }

  tensors(): Map<string, Tensor> {
    const [header, data] = this.#weights();
    return new Map(
      Object.entries(header)
        .filter(([name]) => name !== "__metadata__")
        .map(
          ([
            name,
            {
              dtype,
              shape,
              data_offsets: [start, end],
            },
          ]: [string, Loose]) => {
            return [name, { dtype, shape, data: data.slice(start, end) }] as const;
          },
        ),
    );
  }

  setTensors(tensors: ReadonlyMap<string, Tensor>): this {
    const header: Record<string, object> = {};
    let end = 0;
    for (const [name, { dtype, shape, data }] of tensors) {
      header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
      end += data.length;
    }
    const all = new Uint8Array(end);
    let at = 0;
    for (const { data } of tensors.values()) {
      all.set(data, at);
      at += data.length;
    }
    return this.#setWeights(header, all);
  }

  /** Changes one tensor's bytes in place, or replaces it. */
  tensor(name: string, change: (tensor: Tensor) => Tensor | undefined): this {
    const tensors = this.tensors();
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the directory has no tensor ${name}`);
    tensors.set(name, change(tensor) ?? tensor);
    return this.setTensors(tensors);
  }

  /** Changes the header of the weights and keeps their data. */
  header(change: (header: Loose) => unknown): this {
    const [header, data] = this.#weights();
    change(header);
    return this.#setWeights(header, data);
  }

  /** Replaces the header of the weights and keeps their data. */
  setHeader(header: unknown): this {
    return this.#setWeights(header, this.#weights()[1]);
  }

  #weights(): [header: Loose, data: Uint8Array<ArrayBuffer>] {
    const bytes = this.files.get("model.safetensors") as Uint8Array<ArrayBuffer>;
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const json = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    return [JSON.parse(json), bytes.slice(8 + length)];
  }

  #setWeights(header: unknown, data: Uint8Array<ArrayBuffer>): this {
    const json = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + json.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    bytes.set(data, 8 + json.length);
    return this.write("model.safetensors", bytes);
  }
}
