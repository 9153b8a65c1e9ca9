import { decodePng } from "./png";

/** RGBA pixels, the part of the browser's `ImageData` that the engine uses. */
export class Pixels {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }

  close(): void {}
}

/** A picture in the size of a canvas. @throws Error if only a browser can scale it */
type Fit = (picture: Pixels, width: number, height: number) => Pixels;

const asItIs: Fit = (picture, width, height) => {
  if (picture.width === width && picture.height === height) return picture;
  throw new Error(`A picture of ${picture.width} × ${picture.height} is too large here.`);
};

/** A canvas that holds one opaque picture. */
class PictureCanvas {
  static fit = asItIs;
  readonly width: number;
  readonly height: number;
  #picture: Pixels | undefined;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  getContext(): object {
    return {
      fillRect: () => undefined, // the picture covers all of it
      drawImage: (picture: Pixels) => {
        this.#picture = PictureCanvas.fit(picture, this.width, this.height);
      },
      getImageData: () => this.#picture,
    };
  }
}

/**
 * What the engine asks of a browser to decode images, for PNG files of 8-bit RGB. By default they may not be so large
 * that a canvas would scale them: the engine's own filter does the rest, so the pixels are those of a browser.
 */
export function provideImages(fit = asItIs): void {
  PictureCanvas.fit = fit;
  const createImageBitmap = async (file: Blob): Promise<Pixels> => {
    const { data, width, height } = decodePng(Buffer.from(await file.arrayBuffer()), "The image");
    return new Pixels(Uint8ClampedArray.from(data), width, height);
  };
  Object.assign(globalThis, {
    createImageBitmap,
    OffscreenCanvas: PictureCanvas,
    ImageData: Pixels,
  });
}
