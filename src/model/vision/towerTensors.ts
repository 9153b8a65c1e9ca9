import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import type { WeightPlan } from "../checkpoint/weightPlan";

/** A matrix product's weight and bias. */
export interface Linear {
  readonly matrix: Matrix;
  /** f32 [matrix.rows]; zeros if the file has none. With layer scale [2, matrix.rows]: bias, scale. */
  readonly bias: GPUBuffer;
}

/** A norm's weight and bias, f32 [length] each; RMSNorm does not read the bias. */
export interface Norm {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
}

interface LinearOptions {
  readonly hasBias?: boolean;
  /** A tensor [rows]: factors of the product. */
  readonly scale?: string | undefined;
}

interface Padded {
  /** f32 [rawRows, rawColumns], as the file has it. */
  readonly raw: GPUBuffer;
  readonly rawColumns: number;
  readonly matrix: Matrix;
}

/** The next multiple of 4: kernels read four elements at a time. */
export function fourfold(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Plans linear layers and norms by name. */
export class TowerTensors {
  readonly plan: WeightPlan;
  readonly #padded: Padded[] = [];

  constructor(plan: WeightPlan) {
    this.plan = plan;
  }

  norm(name: string, length: number, hasBias: boolean): Norm {
    return {
      weight: this.plan.vector(`${name} weight`, [`${name}.weight`], length),
      bias: this.plan.vector(`${name} bias`, hasBias ? [`${name}.bias`] : [], length),
    };
  }

  /** The matrix of one tensor [rows, columns], in the precision of its file. */
  linear(name: string, rows: number, options: LinearOptions = {}): Linear {
    const matrix = this.plan.stack(name, [`${name}.weight`]);
    return { matrix, bias: this.#bias(name, [name], rows, options) };
  }

  /** As `linear`; where a size is no multiple of 4, zeros make it one, and the matrix is f32. */
  paddedLinear(
    name: string,
    [rawRows, rawColumns]: readonly [rows: number, columns: number],
    rows = rawRows,
    options: LinearOptions = {},
  ): Linear {
    const columns = fourfold(rawColumns);
    if (rows === rawRows && columns === rawColumns) return this.linear(name, rows, options);
    const raw = this.plan.vector(`${name} raw`, [`${name}.weight`], rawRows * rawColumns);
    const buffer = this.plan.vector(name, [], rows * columns);
    const parts = [{ buffer, firstRow: 0, rows }];
    const matrix = { label: name, dtype: "f32", rows, columns, parts } as const;
    this.#padded.push({ raw, rawColumns, matrix });
    return { matrix, bias: this.#bias(name, [name], rows, options) };
  }

  /** Two linear layers, [rows, any] each, for SiLU(gate) ⊙ up. */
  gated(gate: string, up: string, rows: number): Linear {
    const matrix = this.plan.gated(`${up} gated`, `${gate}.weight`, `${up}.weight`);
    return { matrix, bias: this.#bias(`${up} gated`, [gate, up], 2 * rows, {}) };
  }

  /** Several matrices behind one another. `rows`: of all of them. */
  stacked(label: string, names: readonly string[], rows: number, hasBias: boolean): Linear {
    const weights = names.map((name) => `${name}.weight`);
    const matrix = this.plan.stack(label, weights);
    return { matrix, bias: this.#bias(label, names, rows, { hasBias }) };
  }

  /** After the plan has loaded: moves padded matrices to where their rows belong. */
  async finish(gpu: Gpu): Promise<void> {
    for (const { raw, rawColumns, matrix } of this.#padded) {
      const { columns, rows, parts } = matrix;
      const from = new Float32Array(await gpu.read(raw));
      const padded = new Float32Array(rows * columns);
      for (let row = 0; row * rawColumns < from.length; row++) {
        padded.set(from.subarray(row * rawColumns, (row + 1) * rawColumns), row * columns);
      }
      gpu.device.queue.writeBuffer((parts[0] as Matrix["parts"][0]).buffer, 0, padded);
    }
  }

  #bias(
    label: string,
    names: readonly string[],
    rows: number,
    { hasBias = true, scale }: LinearOptions,
  ): GPUBuffer {
    const biases = hasBias ? names.map((name) => `${name}.bias`) : [];
    if (scale === undefined) return this.plan.vector(`${label} bias`, biases, rows);
    if (biases.length !== 1) throw new RangeError(`${label}: a scale needs one bias before it`);
    return this.plan.vector(`${label} bias`, [...biases, scale], 2 * rows, rows);
  }
}
