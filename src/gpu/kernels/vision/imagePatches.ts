import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./image_patches.wgsl?raw";

export interface ImagePatchesArgs {
  /** f32 [images, channels, patchRows × patch, patchColumns × patch] */
  readonly pixels: Slice;
  /** f32 [images × patchRows × patchColumns, channels × patch × patch] */
  readonly patches: Slice;
  readonly images: number;
  readonly channels: number;
  readonly patchRows: number;
  readonly patchColumns: number;
  /** Side of a patch, in pixels. */
  readonly patch: number;
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
    },
  });

  return (recorder, { pixels, patches, images, channels, patchRows, patchColumns, patch }) => {
    const elements = images * patchRows * patchColumns * channels * patch * patch;
    recorder.dispatch(kernel, {
      buffers: [pixels, patches],
      params: { elements, channels, patchRows, patchColumns, side: patch },
      groups: foldGroups(Math.ceil(elements / 64)),
    });
  };
}
