/** An image that may be a frame of a video. */
export interface Framed {
  readonly frame?: { readonly video: string; readonly seconds: number; readonly duration: number };
}

/** Images of a turn from `first` on that stand together: the frames of a video, or one image. */
interface Clip {
  readonly first: number;
  readonly count: number;
  readonly isVideo: boolean;
}

/** A turn's images as videos and single images, in order. */
export function clipsOf(images: readonly Framed[]): readonly Clip[] {
  const clips: Clip[] = [];
  for (const [at, { frame }] of images.entries()) {
    const last = clips.at(-1);
    if (frame && last && images[at - 1]?.frame?.video === frame.video) {
      clips[clips.length - 1] = { ...last, count: last.count + 1 };
    } else {
      clips.push({ first: at, count: 1, isVideo: frame !== undefined });
    }
  }
  return clips;
}

/** `01:05`: minutes and seconds, for prompts. */
export function minutesAndSeconds(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${two(seconds / 60)}:${two(seconds % 60)}`;
}
