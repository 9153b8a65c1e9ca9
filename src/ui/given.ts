import { texts } from "@/language/language";
import type { Given } from "@/store/images/imageSources";

/** Content of a drop or a paste: files, or else addresses of images. */
export interface Transferred {
  readonly given: readonly Given[];
  readonly addresses: readonly string[];
}

/** Whether a drag may contain images; its content is known only after the drop. */
export function mayBringImages(types: readonly string[]): boolean {
  return types.includes("Files") || types.includes("text/uri-list");
}

export function readDrop(data: DataTransfer): Transferred {
  const given = filesOf(data, texts.page.drop.droppedTitle);
  if (given.length > 0) return { given, addresses: [] };
  const images = imageAddresses(data.getData("text/html"));
  return { given, addresses: images.length > 0 ? images : uriList(data.getData("text/uri-list")) };
}

/**
 * @param isTyping the paste goes into a field: there an address is text, and so is what an office
 * program brings as text, as markup and as an image of it at once
 */
export function readPaste(data: DataTransfer, isTyping: boolean): Transferred {
  const text = data.getData("text/plain").trim();
  const markup = data.getData("text/html");
  if (isTyping && text !== "" && markup !== "") return { given: [], addresses: [] };
  const given = filesOf(data, texts.page.drop.pastedTitle);
  if (given.length > 0) return { given, addresses: [] };
  if (text === "") return { given, addresses: imageAddresses(markup) };
  const isAddress = /^(https?:\/\/\S+|data:image\/\S+)$/i.test(text);
  return { given, addresses: isAddress && !isTyping ? [text] : [] };
}

function filesOf(data: DataTransfer, unnamed: string): readonly Given[] {
  return Array.from(data.files, (file) => ({ blob: file, title: file.name || unnamed }));
}

const IMAGE = /<img\b(?:"[^"]*"|'[^']*'|[^"'<>])*>/gi;
const ATTRIBUTE = /([^\s"'=<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", quot: '"', "#39": "'" };

/**
 * Addresses of the images in a piece of a page, as browsers write it to a drop or a paste. It is not
 * parsed into a document: the Content-Security-Policy forbids markup that is made from text.
 */
function imageAddresses(markup: string): readonly string[] {
  return [...markup.matchAll(IMAGE)]
    .flatMap(([tag]) => [...tag.matchAll(ATTRIBUTE)])
    .filter(([, name]) => name?.toLowerCase() === "src")
    .map(([, , ...sources]) => sources.find((source) => source !== undefined) ?? "")
    .map((source) => source.replace(/&(amp|quot|#39);/g, (_, name: string) => ENTITIES[name]!))
    .filter((source) => /^(https?:|data:image\/)/i.test(source));
}

/** Lines of a text/uri-list; lines that begin with # are comments. */
function uriList(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
}
