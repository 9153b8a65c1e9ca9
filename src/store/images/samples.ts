import type { ImageWords } from "@/language/en/viewer";
import { texts } from "@/language/language";

/** An image that ships with the page, and questions that the embedded model can answer about it. */
export interface SampleImage {
  readonly id: string;
  /** Resolved URL of the image; for a document, of its first page. */
  readonly url: string;
  /** In English, as `alt`; `sampleWords` gives the page's language. */
  readonly title: string;
  readonly alt: string;
  /** What it shows: receipt, chart, … */
  readonly world?: string;
  readonly questions: readonly string[];
  /** URLs of all pages, in order, for a document that is asked about as a whole. */
  readonly pages?: readonly SamplePage[];
  /** A note for the user before asking. */
  readonly note?: string;
}

interface SamplePage {
  readonly url: string;
  readonly alt: string;
}

/** Reads the gallery. Invalid entries are skipped. */
export async function fetchSamples(listUrl: string): Promise<readonly SampleImage[]> {
  const response = await fetch(listUrl);
  if (!response.ok) return [];
  return parseSamples(await response.json(), listUrl);
}

/** Title and description in the language of the page. */
export function sampleWords({ world, title, alt }: SampleImage): ImageWords {
  return texts.viewer.gallery.sample(world, { title, alt });
}

export function parseSamples(json: unknown, listUrl: string): readonly SampleImage[] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { id, file, files, title, alt, alts, world, questions, note } = entry as Record<
      string,
      unknown
    >;
    const paths = strings(typeof file === "string" ? [file] : files);
    if (typeof id !== "string" || paths.length === 0) return [];
    const name = typeof title === "string" ? title : id;
    const whole = typeof alt === "string" ? alt : name;
    const ofPages = strings(alts);
    const pages = paths.map((path, index) => ({
      url: new URL(path, listUrl).href,
      alt: ofPages[index] ?? whole,
    }));
    return [
      {
        id,
        url: pages[0]!.url,
        title: name,
        alt: whole,
        ...(typeof world === "string" ? { world } : {}),
        questions: strings(questions),
        ...(pages.length > 1 ? { pages } : {}),
        ...(typeof note === "string" ? { note } : {}),
      },
    ];
  });
}

function strings(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each): each is string => typeof each === "string") : [];
}
