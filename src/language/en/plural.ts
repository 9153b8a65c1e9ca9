import { formatCount } from "@/text/format";

const CARDINAL = new Intl.PluralRules("en");
const ORDINAL = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = {
  one: "st",
  two: "nd",
  few: "rd",
};

/** `1 image`, `2 images`. */
export function counted(count: number, one: string, other = `${one}s`): string {
  return `${formatCount(count)} ${plural(count, one, other)}`;
}

/** The form of a word for a count. */
export function plural(count: number, one: string, other = `${one}s`): string {
  return CARDINAL.select(count) === "one" ? one : other;
}

/** `1st`, `12th`, `103rd`. */
export function ordinal(place: number): string {
  return formatCount(place) + (ENDINGS[ORDINAL.select(place)] ?? "th");
}
