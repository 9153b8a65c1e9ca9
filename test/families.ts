import fs from "node:fs";

export const FAMILY_FIXTURES = "fixtures/families";

/** One conversation that PyTorch answered (fixtures/families/README.md). */
export interface FamilyCase {
  readonly name: string;
  readonly messages: readonly {
    readonly role: "user" | "assistant";
    readonly content:
      | string
      | readonly (
          | { readonly type: "image"; readonly picture: string }
          | { readonly type: "text"; readonly text: string }
        )[];
  }[];
  readonly images: readonly string[];
  readonly inputIds: readonly number[];
  /** Position of the first new token. */
  readonly nextPosition: number;
  readonly greedyIds: readonly number[];
}

interface FamilyFixture {
  readonly directory: string;
  readonly cases: readonly FamilyCase[];
  /** New tensor names by the names in the files. */
  readonly newerNames?: Readonly<Record<string, string>>;
}

export function readFamily(name: string): FamilyFixture {
  return JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/${name}.json`, "utf8"));
}

interface ArrayInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The recorded arrays of a family, by name. */
export class FamilyArrays {
  readonly #bytes: Buffer;
  readonly #header: Readonly<Record<string, ArrayInfo>>;
  readonly #start: number;

  constructor(name: string) {
    this.#bytes = fs.readFileSync(`${FAMILY_FIXTURES}/${name}.safetensors`);
    this.#start = 8 + Number(this.#bytes.readBigUInt64LE(0));
    this.#header = JSON.parse(this.#bytes.toString("utf8", 8, this.#start));
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#header, name);
  }

  shape(name: string): readonly number[] {
    return this.#info(name).shape;
  }

  bytes(name: string): Uint8Array<ArrayBuffer> {
    const [from, to] = this.#info(name).data_offsets;
    return Uint8Array.from(this.#bytes.subarray(this.#start + from, this.#start + to));
  }

  floats(name: string): Float32Array<ArrayBuffer> {
    return new Float32Array(this.bytes(name).buffer);
  }

  #info(name: string): ArrayInfo {
    const info = this.#header[name];
    if (!info) throw new Error(`no array ${name}`);
    return info;
  }
}
