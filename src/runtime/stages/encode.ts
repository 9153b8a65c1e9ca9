import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { PromptTile } from "@/model/prompt/prompt";
import type {
  ConversationImages,
  EncodedImage,
  EncodedSegment,
  VisionNeeds,
} from "../session/images";
import { type Job, type Segment, tellStage } from "./job";
import { startsIn } from "./pruning";

/** Encodes the images in a segment. @param needs what policies ask of them */
export function encodeImages(
  job: Job,
  segment: Segment,
  needs: VisionNeeds = job.turn.policy.beforePrefill ?? [],
): Promise<EncodedSegment> {
  const { turn, progress, signal, io } = job;
  const shown = turn.tileImages.filter((_, i) => {
    const tile = turn.prompt.tiles[i] as PromptTile;
    return tile.tile === 0 && startsIn(tile, segment);
  });
  return progress.time("vision", async () => {
    const features: FeatureSlice[] = [];
    const images: EncodedImage[] = [];
    let firstRow = 0;
    for (const [i, image] of shown.entries()) {
      const encoded = await (job.images as ConversationImages).features(image, needs);
      signal.throwIfAborted();
      io.check();
      const { rows, buffer, deepstack = [], notices = [] } = encoded;
      progress.notice(...notices);
      features.push({ features: buffer, deepstack, firstRow, rows });
      images.push(encoded);
      firstRow += rows;
      tellStage(job, "vision", i + 1, shown.length);
    }
    const isStrange = turn.seen.tiles.some((hash) => job.images?.isUnfamiliar(hash));
    if (isStrange) progress.notice({ code: "unfamiliarImage" });
    return { images, features };
  });
}
