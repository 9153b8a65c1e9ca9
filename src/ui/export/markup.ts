/** Text that is HTML already; whatever else stands in a template is escaped. */
export class Markup {
  readonly html: string;

  private constructor(html: string) {
    this.html = html;
  }

  /** @param html from this page's own files alone, never anything that somebody typed */
  static trusted(html: string): Markup {
    return new Markup(html);
  }
}

export type MarkupPart = Markup | string | number | undefined | false | readonly MarkupPart[];

/**
 * HTML by template: strings and numbers in it are escaped, for text and for quoted attributes alike;
 * markup and lists of it are put in as they are, and what is undefined or false leaves nothing.
 */
export function markup(texts: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  const html = texts.map((text, index) => text + (index < parts.length ? write(parts[index]) : ""));
  return Markup.trusted(html.join(""));
}

function write(part: MarkupPart): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.html;
  if (typeof part === "object") return part.map(write).join("");
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);
}
