import type { Gpu } from "@/gpu/gpu";
import type { Recorder } from "@/gpu/recorder";
import type { ProcessedImage } from "../families/family";
import { runOnce } from "../scratch";
import type { TowerConfig } from "./towerConfig";
import type { TowerKernels } from "./towerKernels";
import type { TowerScratch } from "./towerScratch";
import type { Linear } from "./towerTensors";
import type { TowerWeights } from "./towerWeights";

/** PyTorch's default, which no configuration changes. */
const CONNECTOR_EPSILON = 1e-5;
/** Upper bound of the connector's dispatches; a matrix in parts has several. */
const PROJECTION_SLOTS = 64;

type ConnectorBuffers = Pick<TowerScratch, "folded" | "foldedNormed" | "projected" | "features">;

interface Connector {
  readonly config: TowerConfig;
  readonly weights: TowerWeights;
  readonly kernels: TowerKernels;
}

/** Folded rows → norm? → projection → (activation → projection)?, from `folded` to `features`. */
export function recordConnector(
  recorder: Recorder,
  { config, weights, kernels }: Connector,
  { folded, foldedNormed, projected, features }: ConnectorBuffers,
  rows: number,
): void {
  const [first, second] = weights.connector as [Linear, Linear?];
  const { connectorNorm: norm } = weights;
  if (norm && foldedNormed) {
    const width = config.connector.fold ** 2 * config.hidden;
    const args = { input: folded, ...norm, output: foldedNormed, rows, width };
    kernels.layerNorm(recorder, { ...args, epsilon: CONNECTOR_EPSILON });
  }
  const input = foldedNormed ?? folded;
  if (second) {
    kernels.connector?.(recorder, { input, ...first, output: projected, rows });
    kernels.bias(recorder, { input: projected, ...second, output: features, rows });
  } else {
    kernels.bias(recorder, { input, ...first, output: features, rows });
  }
}

/** Whether each row of the prompt comes from one row of the transformer. */
export function isRowByRow(
  { connector }: TowerConfig,
  { arrangement }: Pick<ProcessedImage, "arrangement">,
): boolean {
  return connector.fold === 1 && !connector.hasNorm && (arrangement?.parts ?? 1) === 1;
}

/** Rows behind the connector. @param input f32 [rows, hidden] @returns f32 [rows, width], pool `vision` */
export function projectRows(
  gpu: Gpu,
  connector: Connector,
  input: Float32Array<ArrayBuffer>,
): GPUBuffer {
  const { hidden, width } = connector.config;
  const { memory } = gpu;
  const rows = input.length / hidden;
  return memory.allOrNothing(() => {
    const features = memory.storage("vision", "projected rows", rows * width * 4);
    runOnce(gpu, "project rows", PROJECTION_SLOTS, (scratch, recorder) => {
      const folded = scratch.upload("folded", input);
      const projected = scratch.numbers("projected", rows * width);
      const buffers = { folded, foldedNormed: undefined, projected, features };
      recordConnector(recorder, connector, buffers, rows);
      recorder.submit();
    });
    return features;
  });
}
