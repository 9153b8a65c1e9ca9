/** Rows scaled to length 1, f32 [rows, width]; a row of zeros stays so. */
export function unitRows(data: Float32Array, width: number): Float32Array {
  const unit = new Float32Array(data.length);
  for (let first = 0; first < data.length; first += width) {
    let squares = 0;
    for (let i = first; i < first + width; i++) squares += (data[i] as number) ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = first; i < first + width; i++) unit[i] = (data[i] as number) * scale;
  }
  return unit;
}

/** Product of two rows of `unitRows`: their cosine. */
export function cosine(unit: Float32Array, width: number, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) {
    sum += (unit[a * width + i] as number) * (unit[b * width + i] as number);
  }
  return sum;
}
