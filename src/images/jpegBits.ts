/** The values of a Huffman table by code length (1 to 16), and the first code of each length. */
export interface HuffmanTable {
  readonly firstCodes: readonly number[];
  readonly values: readonly Uint8Array[];
}

/** Adds the tables of a DHT segment. Their ids: 0 to 3 for DC, 16 to 19 for AC. */
export function readTables(
  file: DataView,
  start: number,
  end: number,
  tables: Map<number, HuffmanTable>,
): void {
  for (let at = start; at < end; ) {
    const id = file.getUint8(at);
    let value = at + 17;
    let code = 0;
    const firstCodes: number[] = [];
    const values: Uint8Array[] = [];
    for (let length = 0; length < 16; length++) {
      const count = file.getUint8(at + 1 + length);
      firstCodes.push(code);
      values.push(new Uint8Array(file.buffer, file.byteOffset + value, count));
      value += count;
      code = (code + count) << 1;
    }
    tables.set(id, { firstCodes, values });
    at = value;
  }
}

/** The bits of a scan, stuffed zeros left out. Throws RangeError at its end. */
export class BitReader {
  /** Offset of the next byte. */
  at: number;
  readonly #file: DataView;
  #byte = 0;
  #left = 0;

  constructor(file: DataView, at: number) {
    this.#file = file;
    this.at = at;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = (value << 1) | this.#bit();
    return value;
  }

  symbol(table: HuffmanTable | undefined): number {
    if (!table) throw new RangeError("a scan without its Huffman table");
    let code = 0;
    for (let length = 0; length < 16; length++) {
      code = (code << 1) | this.#bit();
      const value = table.values[length]?.[code - (table.firstCodes[length] ?? 0)];
      if (value !== undefined) return value;
    }
    throw new RangeError("bits that are no Huffman code");
  }

  /** Skips a restart marker. */
  restart(): void {
    this.#left = 0;
    while (this.#file.getUint8(this.at) === 0xff && this.#file.getUint8(this.at + 1) === 0xff) {
      this.at++;
    }
    const marker = this.#file.getUint16(this.at);
    if (marker < 0xffd0 || marker > 0xffd7) throw new RangeError("no restart marker");
    this.at += 2;
  }

  #bit(): number {
    if (this.#left === 0) {
      this.#byte = this.#file.getUint8(this.at++);
      this.#left = 8;
      if (this.#byte === 0xff && this.#file.getUint8(this.at++) !== 0) {
        throw new RangeError("a marker before the last block");
      }
    }
    this.#left--;
    return (this.#byte >> this.#left) & 1;
  }
}
