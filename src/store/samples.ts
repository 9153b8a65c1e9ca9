/** An image that ships with the page, and questions that the embedded model can answer about it. */
export interface Sample {
  readonly id: string;
  /** Where the image lies, resolved. */
  readonly url: string;
  readonly title: string;
  readonly alt: string;
  readonly questions: readonly string[];
}

/** Reads the gallery. Entries that are not what a sample is are left out. */
export async function fetchSamples(listUrl: string): Promise<readonly Sample[]> {
  const response = await fetch(listUrl);
  if (!response.ok) return [];
  return parseSamples(await response.json(), listUrl);
}

export function parseSamples(json: unknown, listUrl: string): readonly Sample[] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { id, file, title, alt, questions } = entry as Record<string, unknown>;
    if (typeof id !== "string" || typeof file !== "string") return [];
    const name = typeof title === "string" ? title : id;
    return [
      {
        id,
        url: new URL(file, listUrl).href,
        title: name,
        alt: typeof alt === "string" ? alt : name,
        questions: Array.isArray(questions)
          ? questions.filter((question): question is string => typeof question === "string")
          : [],
      },
    ];
  });
}
