import { BitReader, type HuffmanTable, readTables } from "./jpegBits";
import { isFrame, jpegSegments } from "./jpegSegments";

/** Upper bound of a decodable image's MCUs. */
const MOST_MCUS = 2 ** 21;
/** Upper bound of scans, far above real files. A few bytes can encode a scan of empty blocks. */
const MOST_SCANS = 100;

interface Component {
  /** Blocks per MCU, horizontally and vertically. */
  readonly across: number;
  readonly down: number;
  /** Blocks of the component, and columns of blocks including the padding of the last MCU. */
  readonly columns: number;
  readonly rows: number;
  readonly stride: number;
  /** Per coefficient: the number of bits still missing; -1 before the first bit. [64] */
  readonly missingBits: Int8Array;
  /** Whether a coefficient is known not to be 0; progressive files only. [blocks, 64] */
  readonly nonzero: Uint8Array;
}

interface Frame {
  readonly isProgressive: boolean;
  readonly mcuColumns: number;
  readonly mcuRows: number;
  readonly components: ReadonlyMap<number, Component>;
}

/** One scan's part of a component. */
interface ScanComponent {
  readonly component: Component;
  readonly dc: HuffmanTable | undefined;
  readonly ac: HuffmanTable | undefined;
}

interface Scan {
  readonly parts: readonly ScanComponent[];
  readonly first: number;
  readonly last: number;
  /** Successive approximation: whether bits refine earlier ones, and how many remain. */
  readonly refines: boolean;
  readonly missingBits: number;
}

/**
 * Reads the entropy-coded data of a JPEG file without computing its pixels.
 * @returns the offset behind the last byte that belongs to the image; undefined: blocks are missing,
 * or the file uses arithmetic coding
 */
export function endOfImage(file: DataView): number | undefined {
  const tables = new Map<number, HuffmanTable>();
  let frame: Frame | undefined;
  let restartInterval = 0;
  let scans = 0;
  try {
    for (const { marker, start, end } of jpegSegments(file)) {
      if (marker === 0xc4) readTables(file, start, end, tables);
      if (marker === 0xdd) restartInterval = file.getUint16(start);
      if (isFrame(marker)) frame = marker <= 0xc2 ? readFrame(file, start, marker) : undefined;
      if (marker !== 0xda) continue;
      if (!frame || ++scans > MOST_SCANS) return undefined;
      const bits = new BitReader(file, end);
      readScan(frame, scanOf(file, start, frame, tables), bits, restartInterval);
      const components = [...frame.components.values()];
      if (components.every(({ missingBits }) => missingBits.every((b) => b === 0))) return bits.at;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

function readFrame(file: DataView, start: number, marker: number): Frame {
  const [height, width] = [file.getUint16(start + 1), file.getUint16(start + 3)];
  const isProgressive = marker === 0xc2;
  const samplings = Array.from({ length: file.getUint8(start + 5) }, (_, i) => {
    const at = start + 6 + 3 * i;
    const factors = file.getUint8(at + 1);
    return { id: file.getUint8(at), across: factors >> 4, down: factors & 15 };
  });
  const acrossMost = Math.max(...samplings.map(({ across }) => across));
  const downMost = Math.max(...samplings.map(({ down }) => down));
  const mcuColumns = Math.ceil(width / (8 * acrossMost));
  const mcuRows = Math.ceil(height / (8 * downMost));
  const mcus = mcuColumns * mcuRows;
  if (!(mcus > 0 && mcus <= MOST_MCUS)) throw new RangeError("no blocks, or too many");
  const components = new Map(
    samplings.map(({ id, across, down }): [number, Component] => {
      const [stride, paddedRows] = [mcuColumns * across, mcuRows * down];
      const columns = Math.ceil(Math.ceil((width * across) / acrossMost) / 8);
      const rows = Math.ceil(Math.ceil((height * down) / downMost) / 8);
      const missingBits = new Int8Array(64).fill(-1);
      const nonzero = new Uint8Array(isProgressive ? stride * paddedRows * 64 : 0);
      return [id, { across, down, columns, rows, stride, missingBits, nonzero }];
    }),
  );
  return { isProgressive, mcuColumns, mcuRows, components };
}

function scanOf(
  file: DataView,
  start: number,
  frame: Frame,
  tables: ReadonlyMap<number, HuffmanTable>,
): Scan {
  const count = file.getUint8(start);
  const parts = Array.from({ length: count }, (_, i): ScanComponent => {
    const component = frame.components.get(file.getUint8(start + 1 + 2 * i));
    const selectors = file.getUint8(start + 2 + 2 * i);
    if (!component) throw new RangeError("a scan of a component that the frame does not have");
    const ac = tables.get(16 | (selectors & 15));
    return { component, dc: tables.get(selectors >> 4), ac };
  });
  if (!frame.isProgressive) return { parts, first: 0, last: 63, refines: false, missingBits: 0 };
  const at = start + 1 + 2 * count;
  const approximation = file.getUint8(at + 2);
  return {
    parts,
    first: file.getUint8(at),
    last: Math.min(63, file.getUint8(at + 1)),
    refines: approximation >> 4 > 0,
    missingBits: approximation & 15,
  };
}

/** @throws RangeError if the data ends before the scan's last block */
function readScan(frame: Frame, scan: Scan, bits: BitReader, restartInterval: number): void {
  const blocks = new BlockReader(scan, bits, frame.isProgressive);
  const [only, ...others] = scan.parts;
  const isInterleaved = others.length > 0;
  const columns = isInterleaved ? frame.mcuColumns : (only?.component.columns ?? 0);
  const rows = isInterleaved ? frame.mcuRows : (only?.component.rows ?? 0);
  for (let mcu = 0; mcu < columns * rows; mcu++) {
    if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
      bits.restart();
      blocks.restart();
    }
    const [column, row] = [mcu % columns, Math.floor(mcu / columns)];
    for (const part of scan.parts) {
      const { across, down, stride } = part.component;
      if (!isInterleaved) blocks.read(part, row * stride + column);
      else
        for (let i = 0; i < across * down; i++) {
          const y = row * down + Math.floor(i / across);
          blocks.read(part, y * stride + column * across + (i % across));
        }
    }
  }
  for (const { component } of scan.parts) {
    component.missingBits.fill(scan.missingBits, scan.first, scan.last + 1);
  }
}

/** Reads one block after the other (ITU-T T.81, F.2.2 and G.2). */
class BlockReader {
  readonly #scan: Scan;
  readonly #bits: BitReader;
  readonly #isProgressive: boolean;
  /** Blocks that have no coefficients left in this scan. */
  #emptyBlocks = 0;

  constructor(scan: Scan, bits: BitReader, isProgressive: boolean) {
    this.#scan = scan;
    this.#bits = bits;
    this.#isProgressive = isProgressive;
  }

  restart(): void {
    this.#emptyBlocks = 0;
  }

  read(part: ScanComponent, block: number): void {
    const { first, last, refines } = this.#scan;
    const nonzero = part.component.nonzero.subarray(64 * block, 64 * block + 64);
    if (first === 0 && refines) this.#bits.take(1);
    else if (first === 0) this.#bits.take(this.#bits.symbol(part.dc));
    if (last === 0) return;
    if (refines) this.#refine(part, nonzero);
    else this.#coefficients(part, nonzero);
  }

  #coefficients({ ac }: ScanComponent, nonzero: Uint8Array): void {
    if (this.#emptyBlocks > 0) {
      this.#emptyBlocks--;
      return;
    }
    const { first, last } = this.#scan;
    for (let k = Math.max(1, first); k <= last; k++) {
      const symbol = this.#bits.symbol(ac);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run < 15) {
        this.#emptyBlocks = this.#isProgressive ? this.#runOfBlocks(run) - 1 : 0;
        return;
      }
      k += run;
      this.#bits.take(size);
      if (size > 0 && this.#isProgressive && k < 64) nonzero[k] = 1;
    }
  }

  #refine({ ac }: ScanComponent, nonzero: Uint8Array): void {
    const { first, last } = this.#scan;
    let k = first;
    while (this.#emptyBlocks === 0 && k <= last) {
      const symbol = this.#bits.symbol(ac);
      const size = symbol & 15;
      let run = symbol >> 4;
      if (size === 0 && run < 15) {
        this.#emptyBlocks = this.#runOfBlocks(run);
        break;
      }
      this.#bits.take(size);
      for (; k <= last; k++) {
        if (nonzero[k]) this.#bits.take(1);
        else if (run-- === 0) break;
      }
      if (size > 0 && k <= last) nonzero[k] = 1;
      k++;
    }
    if (this.#emptyBlocks === 0) return;
    for (; k <= last; k++) if (nonzero[k]) this.#bits.take(1);
    this.#emptyBlocks--;
  }

  #runOfBlocks(exponent: number): number {
    return (1 << exponent) + this.#bits.take(exponent);
  }
}
