import type { DecoderConfig } from "../checkpoint/config";
import type { AxisPositions } from "./tokenPositions";

/**
 * Rotation of each pair of elements per position, in radians: [headDim / 2].
 * Rounded to f32 where `transformers` rounds, so that angles agree at large positions.
 */
export function rotaryFrequencies(config: DecoderConfig): Float32Array<ArrayBuffer> {
  const { headDim, ropeBase, ropeScaling } = config;
  return Float32Array.from({ length: headDim / 2 }, (_, pair) => {
    const exponent = Math.fround((2 * pair) / headDim);
    const frequency = Math.fround(1 / Math.fround(ropeBase ** exponent));
    if (ropeScaling.type === "default") return frequency;
    if (ropeScaling.type === "linear") return frequency / ropeScaling.factor;
    // Low frequencies are scaled, high ones kept, those between interpolated.
    const { factor, lowFreqFactor, highFreqFactor, originalContext } = ropeScaling;
    const turns = (originalContext * frequency) / (2 * Math.PI);
    const blend = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    const kept = Math.min(1, Math.max(0, blend));
    return (1 - kept) * (frequency / factor) + kept * frequency;
  });
}

/** Which axis of `AxisPositions` rotates each pair: [headDim / 2]. */
export function rotaryAxes({ headDim, ropeAxes }: DecoderConfig): Uint8Array | undefined {
  if (!ropeAxes) return undefined;
  const { sections, isInterleaved } = ropeAxes;
  const [, height, width] = sections;
  return Uint8Array.from({ length: headDim / 2 }, (_, pair) => {
    if (!isInterleaved) return pair < sections[0] ? 0 : pair < sections[0] + height ? 1 : 2;
    const axis = pair % 3;
    return pair < 3 * [0, height, width][axis]! ? axis : 0;
  });
}

/** Cosine and sine of every pair at positions in three axes: [positions, headDim / 2, 2]. */
export function axisAngles(
  frequencies: Float32Array,
  axes: Uint8Array | undefined,
  positions: readonly AxisPositions[],
): Float32Array<ArrayBuffer> {
  const pairs = frequencies.length;
  const angles = new Float32Array(positions.length * pairs * 2);
  for (const [row, at] of positions.entries()) {
    for (let pair = 0; pair < pairs; pair++) {
      const position = at[(axes?.[pair] ?? 0) as 0 | 1 | 2];
      const angle = Math.fround((frequencies[pair] as number) * position);
      angles[(row * pairs + pair) * 2] = Math.cos(angle);
      angles[(row * pairs + pair) * 2 + 1] = Math.sin(angle);
    }
  }
  return angles;
}

/** Cosine and sine of every pair at positions `first … first + rows`: [rows, headDim / 2, 2]. */
export function rotaryAngles(
  frequencies: Float32Array,
  first: number,
  rows: number,
): Float32Array<ArrayBuffer> {
  const pairs = frequencies.length;
  const angles = new Float32Array(rows * pairs * 2);
  for (let row = 0; row < rows; row++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = Math.fround((frequencies[pair] as number) * (first + row));
      const at = (row * pairs + pair) * 2;
      angles[at] = Math.cos(angle);
      angles[at + 1] = Math.sin(angle);
    }
  }
  return angles;
}
