import { endOfImage } from "./jpegScan";
import { EOI, isFrame, jpegSegments, SOS } from "./jpegSegments";
import type { ImageHeader } from "./types";

/**
 * A file without an end marker is complete if its scans contain every block of the image: some
 * phones write their own data instead of the marker.
 */
export function readJpeg(file: DataView): ImageHeader {
  let [width, height] = [0, 0];
  let hasScan = false;
  const header = () => ({ format: "JPEG", width, height, isAnimated: false }) as const;
  try {
    for (const { marker, start } of jpegSegments(file)) {
      if (marker === EOI) return { ...header(), isTruncated: !hasScan };
      if (marker === SOS) hasScan = true;
      if (!isFrame(marker)) continue;
      height = file.getUint16(start + 1);
      width = file.getUint16(start + 3);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const missingEnd = hasScan ? endOfImage(file) : undefined;
  if (missingEnd === undefined) return { ...header(), isTruncated: true };
  return { ...header(), isTruncated: false, missingEnd };
}
