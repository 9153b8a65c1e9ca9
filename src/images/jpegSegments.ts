export const EOI = 0xd9;
export const SOS = 0xda;

/** A marker segment. The end marker has no content. */
interface JpegSegment {
  readonly marker: number;
  /** Offset of the content, behind the length. */
  readonly start: number;
  readonly end: number;
}

/**
 * The marker segments of a JPEG file, up to its end marker. Like decoders, it skips bytes between
 * segments that belong to none. The entropy-coded data behind a scan's header is skipped, too.
 */
export function* jpegSegments(file: DataView): Generator<JpegSegment, void> {
  let at = nextMarker(file, 2);
  while (at + 2 <= file.byteLength) {
    const marker = file.getUint8(at + 1);
    if (marker === EOI) return void (yield { marker, start: at + 2, end: at + 2 });
    const end = at + 2 + file.getUint16(at + 2);
    yield { marker, start: at + 4, end };
    at = nextMarker(file, end);
  }
}

/** Offset of the next 0xFF of a marker; neither a stuffed 0xFF, nor a fill byte, nor a restart. */
function nextMarker(file: DataView, from: number): number {
  for (let at = from; at + 1 < file.byteLength; at++) {
    if (file.getUint8(at) !== 0xff) continue;
    const marker = file.getUint8(at + 1);
    if (marker > 1 && marker !== 0xff && (marker < 0xd0 || marker > 0xd8)) return at;
  }
  return file.byteLength;
}

/** Start-of-frame markers: 0xC0 to 0xCF without tables (0xC4), extensions (0xC8), conditions (0xCC). */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
