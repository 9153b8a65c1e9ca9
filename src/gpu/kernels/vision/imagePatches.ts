import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./image_patches.wgsl?raw";

interface ImagePatchesArgs {
  /** f32 [images, channels, height, width] */
  readonly pixels: Slice;
  /** f32 [images × (lead + patchRows × patchColumns), columns] */
  readonly patches: Slice;
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly patchRows: number;
  readonly patchColumns: number;
  /** Side of a patch, in pixels. */
  readonly patch: number;
  /** Rows left free before the patches of each image. */
  readonly lead: number;
  /** Elements of a row of `patches`, channels × patch × patch or more. */
  readonly columns: number;
}

export type ImagePatches = (recorder: Recorder, args: ImagePatchesArgs) => void;

/** Images as rows of patches, each flattened in the order of a convolution's weights. */
export async function createImagePatches(gpu: Gpu): Promise<ImagePatches> {
  const kernel = await gpu.compile({
    label: "image_patches",
    code: [wgsl],
    access: ["read", "write"],
    params: {
      elements: "u32",
      channels: "u32",
      patchRows: "u32",
      patchColumns: "u32",
      side: "u32",
      height: "u32",
      width: "u32",
      lead: "u32",
      columns: "u32",
    },
  });

  return (recorder, { pixels, patches, images, patch: side, ...rest }) => {
    const { channels, patchRows, patchColumns } = rest;
    const elements = images * patchRows * patchColumns * channels * side * side;
    recorder.dispatch(kernel, {
      buffers: [pixels, patches],
      params: { elements, side, ...rest },
      groups: foldGroups(Math.ceil(elements / 64)),
    });
  };
}
