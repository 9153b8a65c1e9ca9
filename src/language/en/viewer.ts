import type { Parts } from "../parts";
import { ordinal } from "./plural";

export interface ImageWords {
  readonly title: string;
  readonly alt: string;
}

/** The image, its overlay, the layers, and adding images. */
export const viewerEn = {
  name: "Viewer",
  larger: "Larger image",
  smaller: "Smaller image",
  overlay: { name: "Overlay", kept: "Kept", heat: "Heat", off: "Off" },
  /** @param sentence the model card's own */
  purpose: (sentence: string) => sentence,
  caption: {
    ask: "Ask, and see which patches each layer keeps",
    keptAll: <T>(layers: number, kept: T, all: T, isPreview: boolean): Parts<T> => [
      `${layers} layers ${isPreview ? "would keep" : "kept"} `,
      kept,
      " of ",
      all,
      " patches on average",
    ],
    kept: <T>(layer: number, kept: T, all: T, isPreview: boolean): Parts<T> => [
      `Layer ${layer} ${isPreview ? "would keep" : "kept"} `,
      kept,
      " of ",
      all,
      " patches",
    ],
    unscored: (policy: string) => `${policy} ranks patches by no score`,
    scoresPending: "The scores come with the end of the answer",
    scoresMissing: "No scores were recorded with this answer; ask again",
    ranked: <T>(policy: string, layers: T, places: string): Parts<T> => [
      `${policy} ranked highest in `,
      layers,
      `: ${places}`,
    ],
    noneHigher: "no patch has a higher score than the others",
    wordUnseen: <T>(word: T): Parts<T> => [
      "No step of ",
      word,
      " was recorded, or it attended to no patch",
    ],
    word: <T>(word: T, layers: string, places: string): Parts<T> => [
      "Attention, not proof: ",
      word,
      ` in ${layers} attended most to ${places}`,
    ],
    noPatch: "no patch of this image",
    missed: (word: string, places: string) =>
      `. Dropped here, but attended by the full cache’s “${word}”: ${places}`,
    allLayers: "all layers",
    layer: (layer: number) => `layer ${layer}`,
    places: (places: readonly string[]) => places.join("; "),
  },
  legend: {
    low: "low",
    high: "high",
    dropped: "dropped",
    droppedHelp:
      "Hatched: most layers that are shown dropped the patch. The tint is stronger the more of them did.",
    keptMost: "kept",
    keptMostHelp: "Outlined: at least half of the layers that are shown kept the patch.",
    less: "less",
    more: "more",
    sink: "sink",
    missed: "dropped; attended by the full cache",
  },
  layers: {
    name: "Layer",
    all: "All layers",
    allMark: "all",
    layer: (layer: number) => `Layer ${layer}`,
    kept: (layer: number, kept: number, all: number, common: number) =>
      `Layer ${layer}: kept ${kept} of ${all} patches, ${common} of them in at least half of the layers`,
  },
  patch: {
    reader: "patch reader",
    how: "Patches of the image. Arrow keys move from patch to patch.",
    howPin: "Patches of the image. Arrow keys move from patch to patch, Enter pins one.",
    row: (row: number) => `Row ${row}`,
    droppedByAll: "dropped by every layer",
    keptByAll: "kept by every layer",
    keptBy: (ranges: string, layers: number) =>
      `kept by ${layers === 1 ? "layer" : "layers"} ${ranges}`,
    rank: (place: number, of: string) => `${ordinal(place)} of ${of}`,
    byScore: (rank: string) => `${rank} by score`,
    score: (score: string, rank: string) => `score ${score}, ${rank}`,
    sink: "sink",
    place: (line: number, column: number) => `line ${line}, column ${column}`,
    ofTile: (place: string, tile: number) => `${place} of tile ${tile}`,
    hide: (count: number) =>
      count === 1 ? "Hide this patch and ask again" : `Hide ${count} patches and ask again`,
    unpin: "Unpin",
  },
  gallery: {
    name: "Sample images",
    own: (title: string) => `Your image: ${title}`,
    /** @param world what the sample shows */
    sample: (_world: string | undefined, english: ImageWords) => english,
    addOwn: "Add an image of your own",
    file: "Image file",
    how: "Drop, paste or pick images. Nothing leaves this device.",
    images: "Images of this conversation",
    image: (place: number, count: number, title: string) => `Image ${place} of ${count}: ${title}`,
  },
  add: {
    files: "Files…",
    camera: "Camera…",
    address: "Web address…",
    input: "Images to add",
    fetching: (host: string) => `Fetching from ${host}`,
    fetched: (loaded: string, total: string | undefined) =>
      total === undefined ? loaded : `${loaded} of ${total}`,
    fetchedBar: "Image fetched",
    stop: "Stop",
    close: "Close",
  },
  fromAddress: {
    title: "Image from a web address",
    field: "Address of the image",
    help:
      "This browser asks that site for the image. Not every site lets another page read its " +
      "images; from those, download the image and drop it here.",
    fetch: "Fetch the image",
  },
  video: {
    title: "Frames of a video",
    count: "Number of frames",
    help: "Evenly spaced frames become images with their times. The video stays on this device.",
    reading: "Reading the frames …",
    add: "Add the frames",
    frameTitle: (title: string, time: string) => `${title}, ${time}`,
    unreadable: (file: string) => `${file} cannot be decoded as a video by this browser.`,
  },
  camera: {
    title: "Camera",
    takeFrames: (frames: number) => `Take ${frames} frames, one per second`,
    taking: (taken: number, frames: number) => `${taken} of ${frames} frames taken`,
    framesTitle: (time: string) => `Camera from ${time}`,
    live: "Live image of the camera",
    stays: "The image stays on this device.",
    take: "Take the image",
    imageTitle: (time: string) => `Camera, ${time}`,
    denied:
      "Access to the camera was denied. Allow it for this page in the browser’s settings, or choose a file.",
    absent: "There is no camera here. Choose a file instead.",
    busy: "The camera does not start; another program may be using it. Close that, or choose a file.",
  },
  read: {
    named: (title: string) => `“${title}”`,
    unnamed: "This file",
    damaged: (file: string) => `${file} is damaged: this browser cannot decode it.`,
    unreadable: (file: string) => `${file} could not be read.`,
    storedAgain: (file: string, size: string) => `${file} was stored again at ${size}.`,
    scaled: (file: string, from: string, to: string) =>
      `${file} was scaled from ${from} to ${to} pixels.`,
    tooLarge: (file: string, size: string, most: string) =>
      `${file} has ${size}; ${most} are the limit.`,
    sampleUnread: (title: string) => `The sample “${title}” could not be read.`,
    sampleUnknown: (id: string) => `There is no sample “${id}”.`,
    page: (title: string, page: number, pages: number) => `${title}, page ${page} of ${pages}`,
    noAddress: (address: string) =>
      `“${address}” is not a web address; an address starts with https://.`,
    moreUnread: (count: number) => `${count} more could not be read either.`,
    tooMany: (
      count: number,
      room: number,
      { context, isAdded }: { readonly context: number | undefined; readonly isAdded: boolean },
    ) => {
      const them = count === 1 ? "This image does" : `These ${count} images do`;
      const limit = context ? `the model’s context of ${context} tokens` : "a conversation here";
      if (room === 0) return `${them} not fit: ${limit} has no room for another image.`;
      return `${them} not fit: ${limit} has room for ${room}${isAdded ? " more" : ""}.`;
    },
  },
  fetch: {
    thisPage: "this page",
    unreachable: (host: string) =>
      `${host} could not be reached, or does not allow other pages to read its images. Download the image and drop it here.`,
    ended: (host: string) =>
      `${host} ended before the image was complete. Try again, or download the image and drop it here.`,
    notThere: (host: string, status: number) =>
      `${host} has nothing at this address (${status}). Check the address.`,
    refused: (host: string, status: number) =>
      `${host} refused with status ${status}. Download the image and drop it here.`,
    noImage: (type: string) =>
      `This address leads to ${type}, not to an image. Copy the address of the image itself.`,
    tooLarge: (host: string, most: string) =>
      `The image at ${host} is larger than ${most}. Download it, make it smaller, and drop it here.`,
    holdsNone: "The address holds no image.",
    forbidden: (host: string) =>
      `The security policy of this page does not allow it to read from ${host}. Download the image and drop it here.`,
    image: "Image",
  },
};
