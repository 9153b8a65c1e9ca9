/**
 * A column-wise ring buffer for samples that bypass React.
 *
 * Every value is written twice, `capacity` apart, so the newest samples are always contiguous:
 * `view()` returns subarrays without copying. `version` increases with every change, so an idle
 * frame of a chart costs one comparison.
 */
export interface Series {
  readonly version: number;
  /** Samples held, at most the capacity. */
  readonly length: number;
  /** @param values one per column */
  push(values: readonly number[]): void;
  clear(): void;
  /** One array per column, oldest sample first; valid until the next `push`. */
  view(): Float64Array[];
}

/** @throws RangeError for fewer than one column or sample. */
export function createSeries(columns: number, capacity: number): Series {
  if (columns < 1 || capacity < 1) {
    throw new RangeError(`Series needs a column and a sample: ${columns} x ${capacity}`);
  }
  const data = Array.from({ length: columns }, () => new Float64Array(2 * capacity));
  let length = 0;
  let next = 0;
  let version = 0;

  return {
    get version() {
      return version;
    },
    get length() {
      return length;
    },
    push(values) {
      if (values.length !== columns) {
        throw new RangeError(`Series has ${columns} columns, got ${values.length} values`);
      }
      data.forEach((column, index) => {
        column[next] = values[index]!;
        column[next + capacity] = values[index]!;
      });
      next = (next + 1) % capacity;
      length = Math.min(length + 1, capacity);
      version += 1;
    },
    clear() {
      length = 0;
      next = 0;
      version += 1;
    },
    view() {
      const end = length < capacity ? length : next + capacity;
      return data.map((column) => column.subarray(end - length, end));
    },
  };
}
