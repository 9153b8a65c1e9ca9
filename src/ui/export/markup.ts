/** Text that is HTML already; everything else in a template is escaped. */
export class Markup {
  readonly html: string;

  private constructor(html: string) {
    this.html = html;
  }

  /** @param html from this page's own files only, never user input */
  static trusted(html: string): Markup {
    return new Markup(html);
  }
}

export type MarkupPart = Markup | string | number | undefined | false | readonly MarkupPart[];

/**
 * HTML by template: strings and numbers are escaped, for text and for quoted attributes; markup and lists
 * of markup are inserted unchanged; undefined and false insert nothing.
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
