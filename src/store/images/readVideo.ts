/** A frame of a video, as an image file. */
export interface VideoStill {
  readonly blob: Blob;
  /** Its time in the video. */
  readonly seconds: number;
}

export interface VideoStills {
  readonly stills: readonly VideoStill[];
  /** Length of the video in seconds. */
  readonly duration: number;
}

/** Longest side of a frame in pixels. */
const MAX_SIDE = 1280;
const QUALITY = 0.95;
/** A video that gives no frame for this long, in ms, cannot be decoded. */
const SILENCE_MS = 10_000;
/** Beyond the end of any video: seeking there makes a browser find an unstated length. */
const FAR = 1e9;

/** The middles of equal parts of a video: families sample evenly, too. */
function sampleTimes(duration: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => ((i + 0.5) * duration) / count);
}

/**
 * Evenly spaced frames of a video file, drawn one after the other.
 * @throws an error if this browser cannot decode it; the signal's reason
 */
export async function readVideo(
  file: Blob,
  count: number,
  signal: AbortSignal,
): Promise<VideoStills> {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  video.muted = true;
  video.preload = "auto";
  try {
    video.src = url;
    await happening(video, "loadeddata", signal);
    if (!Number.isFinite(video.duration)) await seek(video, FAR, signal);
    const { duration } = video;
    if (!(Number.isFinite(duration) && duration > 0)) throw new Error("A video without a length.");
    const stills: VideoStill[] = [];
    for (const seconds of sampleTimes(duration, count)) {
      await seek(video, seconds, signal);
      stills.push({ blob: await stillOf(video), seconds });
    }
    return { stills, duration };
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

async function seek(video: HTMLVideoElement, seconds: number, signal: AbortSignal): Promise<void> {
  const done = happening(video, "seeked", signal);
  video.currentTime = seconds;
  await done;
}

function happening(video: HTMLVideoElement, event: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise<void>((resolve, reject) => {
    const stop = new AbortController();
    const end = (settle: () => void) => {
      stop.abort();
      clearTimeout(timer);
      settle();
    };
    const fail = () => end(() => reject(new Error("The video cannot be decoded.")));
    const timer = setTimeout(fail, SILENCE_MS);
    const options = { signal: stop.signal };
    video.addEventListener(event, () => end(resolve), options);
    video.addEventListener("error", fail, options);
    signal.addEventListener("abort", () => end(() => reject(signal.reason)), options);
  });
}

/** What a video element shows now. @throws an error if it shows nothing */
export async function stillOf(video: HTMLVideoElement): Promise<Blob> {
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(1, MAX_SIDE / Math.max(videoWidth, videoHeight));
  const size = (pixels: number) => Math.max(1, Math.round(pixels * scale));
  const canvas = new OffscreenCanvas(size(videoWidth), size(videoHeight));
  const context = canvas.getContext("2d");
  if (!context || videoWidth === 0) throw new Error("The video shows no frame.");
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/webp", quality: QUALITY });
}
