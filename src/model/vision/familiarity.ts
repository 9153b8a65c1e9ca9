import type { ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";

const FILE = "familiar.bin";

/**
 * How far an image's features lie from those of the images that a model was trained on: along some
 * directions, the features of familiar patches hardly vary (Wang et al., "ViM: Out-Of-Distribution with
 * Virtual-logit Matching", CVPR 2022; `training/familiar.py` chooses directions and threshold).
 */
export class Familiarity {
  readonly #mean: Float32Array;
  /** [directions, width], each divided by its standard deviation */
  readonly #directions: readonly Float32Array[];
  readonly #threshold: number;

  /** @param rows f32 [1 + directions, width]: the mean, then the directions */
  constructor(rows: Float32Array, width: number, threshold: number) {
    const [mean, ...directions] = Array.from({ length: rows.length / width }, (_, row) =>
      rows.subarray(row * width, (row + 1) * width),
    );
    this.#mean = mean as Float32Array;
    this.#directions = directions;
    this.#threshold = threshold;
  }

  /**
   * Undefined if the directory has no such file.
   * @param threshold most familiar images have a smaller distance
   * @throws ModelError if the file is of another width
   */
  static async load(
    files: ModelFiles,
    width: number,
    threshold: number,
  ): Promise<Familiarity | undefined> {
    const bytes = await files.optional(FILE);
    if (!bytes) return undefined;
    const row = width * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.length % row !== 0 || bytes.length < 2 * row) {
      const message = `The model's ${FILE} has ${bytes.length} bytes; its rows are of ${row}.`;
      throw new ModelError("badModel", message);
    }
    return new Familiarity(new Float32Array(bytes.slice().buffer), width, threshold);
  }

  /**
   * Mean over the rows of the root mean square over the directions; 1 is usual.
   * @param features f32 [rows, width]
   */
  distance(features: Float32Array): number {
    const mean = this.#mean;
    const width = mean.length;
    let total = 0;
    for (let start = 0; start < features.length; start += width) {
      let squares = 0;
      for (const direction of this.#directions) {
        let along = 0;
        for (let i = 0; i < width; i++) {
          along += (features[start + i]! - mean[i]!) * direction[i]!;
        }
        squares += along * along;
      }
      total += Math.sqrt(squares / this.#directions.length);
    }
    return (total * width) / features.length;
  }

  isFamiliar(features: Float32Array): boolean {
    return this.distance(features) < this.#threshold;
  }
}
