import fs from "node:fs";
import path from "node:path";
import { parseAst } from "vite";
import { expect, test } from "vitest";
import { POLICIES } from "@/compression/registry";
import { en } from "@/language/en/en";
import { languageOf } from "@/language/language";
import { policiesZh } from "@/language/zh/policies";
import { zh } from "@/language/zh/zh";
import { modelCard } from "@/model/checkpoint/card";
import type { FailureReason } from "@/protocol/reason";
import { REASON_KINDS } from "@/store/library/noticeSchemas";
import { completeOptions } from "@/store/settings/policyInfo";
import { CONTENT_POLICY } from "@/ui/export/exportHtml";

const SRC = path.resolve(import.meta.dirname, "../src");
/** Folders whose texts a user reads. */
const SPOKEN = /^(ui|store)\//;
/** Attributes and properties whose value is read or heard. */
const READ =
  /^(title|alt|label|placeholder|caption|message|notice|help|aria-(label|valuetext|roledescription|description))$/;
/** Names that are the same in every language, and notation. */
const NAMES = new Set([
  "Keepsight",
  "https://",
  "HTML",
  "JSON",
  "WebGPU ·",
  "keepsight chart",
  CONTENT_POLICY,
]);
/** What reasons of failures count. */
const NUMBERS = { format: "PNG", name: "maxBufferSize", had: 1, needed: 2, free: 1, tokens: 9 };
const SIZES = { width: 9000, height: 9000, most: 64, capMb: 1, neededMb: 2, freeMb: 1, roomMb: 1 };
/** Tags of a template, whole or cut by a value in them. */
const MARKUP = /<[^>]*(>|$)|^[^<]*>/g;

type Node = { readonly type: string; readonly [key: string]: unknown };

test("no component and no store has a text of its own: all are in src/language", () => {
  const files = fs
    .readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => SPOKEN.test(file))
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|testing\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(100);
  const left = files.flatMap((file) => textsOf(file).map((text) => `${file}: ${text}`));
  expect(left).toEqual([]);
});

test("texts are found in elements, attributes and sentences", () => {
  const program = parseAst(
    'const a = <p title="Hint" className="x y">Hello<b aria-label={n + " rows"} /></p>; b("not three words", "two words here"); throw new Error("no user reads this")',
    { lang: "tsx" },
  ) as unknown as Node;
  expect(foundIn(program)).toEqual(["Hint", "Hello", "rows", "not three words", "two words here"]);
});

test("every text of the page is written in both languages", () => {
  const english = new Map(leavesOf(en));
  const chinese = new Map(leavesOf(zh));
  expect([...chinese.keys()]).toEqual([...english.keys()]);
  const same = [...english].filter(([at, text]) => isSentence(text) && chinese.get(at) === text);
  expect(same).toEqual([]);
});

test("the engine's notices and reasons are Chinese sentences", () => {
  /** Whatever number or name a sentence asks for. */
  const values = new Proxy({}, { get: (_, name) => (name === "kind" ? "matmul" : 7) });
  const notices = Object.values(zh.notices).map((say) =>
    (say as (notice: unknown) => string)(values),
  );
  const kinds = Object.keys(REASON_KINDS) as FailureReason["kind"][];
  const reasons = kinds.map((kind) =>
    zh.failures.reason({ ...NUMBERS, ...SIZES, kind } as FailureReason),
  );
  const sentences = [...notices, ...reasons];
  expect(sentences.length).toBeGreaterThan(25);
  for (const sentence of sentences) {
    expect(sentence).toMatch(/\p{Script=Han}.*。$/u);
    expect(sentence).not.toMatch(/[a-z]+ [a-z]+ [a-z]+|undefined/);
  }
});

test("the Chinese texts call a token 词元", () => {
  const folder = path.join(SRC, "language/zh");
  const lines = fs
    .readdirSync(folder)
    .flatMap((file) => fs.readFileSync(path.join(folder, file), "utf8").split("\n"));
  // What is quoted, without values in it and without the English keys of the policies' texts.
  const quoted = lines
    .flatMap((line) => [...line.replace(/\$\{[^}]*\}/g, "").matchAll(/(["`])([^"`]*)\1(:?)/g)])
    .flatMap(([, , text = "", colon]) => (colon === ":" ? [] : [text]));
  expect(quoted.filter((text) => text.includes("词元")).length).toBeGreaterThan(60);
  expect(quoted.filter((text) => /\btokens?\b/i.test(text))).toEqual([]);
});

test("every text of the policies' registry has a Chinese one", () => {
  const spoken = POLICIES.flatMap(({ id, label, summary, options, deviation }) => {
    const named = Object.values(options).flatMap((option) => [option.label, option.help]);
    const variants = Object.entries(options).flatMap(([name, option]) =>
      option.kind === "choice" ? option.values.map((value) => ({ [name]: value })) : [],
    );
    variants.push({});
    const policy = POLICIES.find((each) => each.id === id)!;
    const deviations = variants.flatMap(
      (chosen) => deviation?.(completeOptions(policy, chosen)) ?? [],
    );
    return [
      ...(/ |^Random$/.test(label) && !/Cache$/.test(label) ? [label] : []),
      summary,
      ...named,
      ...deviations,
    ];
  });
  const isTranslated = (text: string) =>
    zh.policy(text) !== text || /^\p{Script=Greek}$/u.test(text);
  expect(new Set(spoken.filter((text) => !isTranslated(text)))).toEqual(new Set());
  // No translation is left of a text that is gone.
  const known = new Set([
    ...spoken,
    ...POLICIES.map(({ label }) => label),
    "Keeps every row at any retention.",
  ]);
  expect(Object.keys(policiesZh).filter((text) => !known.has(text))).toEqual([]);
});

test("what the embedded model is for is said in Chinese", () => {
  const config = fs.readFileSync("public/models/keepsight-mini/config.json", "utf8");
  const { purpose } = modelCard(JSON.parse(config)) ?? {};
  expect(zh.viewer.purpose(purpose!)).not.toContain(purpose);
});

test("the first language of the browser that the page has is used", () => {
  expect(languageOf("system", ["de-CH", "zh-Hans-CN", "en"])).toBe("zh");
  expect(languageOf("system", ["fr"])).toBe("en");
  expect(languageOf("en", ["zh"])).toBe("en");
});

function textsOf(file: string): readonly string[] {
  const source = fs.readFileSync(path.join(SRC, file), "utf8");
  const lang = file.endsWith(".tsx") ? "tsx" : "ts";
  return foundIn(parseAst(source, { lang }, file) as unknown as Node);
}

function foundIn(node: Node, isRead = false): readonly string[] {
  if (/^(Import|ExportAll|Throw|TS(?!As|NonNull|Satisfies))/.test(node.type) || isError(node))
    return [];
  const said = saidBy(node);
  if (said !== undefined) return isText(said, isRead || node.type === "JSXText") ? [said] : [];
  const name = nameOf(node);
  const reads = name === "" ? isRead : READ.test(name);
  return Object.values(node).flatMap((child) =>
    (Array.isArray(child) ? child : [child]).filter(isNode).flatMap((each) => foundIn(each, reads)),
  );
}

/** Messages of errors are for developers, unless they are texts of the page. */
function isError({ type, callee }: Node): boolean {
  const name = (callee as { readonly name?: string } | undefined)?.name;
  return type === "NewExpression" && name !== undefined && name.endsWith("Error");
}

/** The text of a node that has one; white space around it is layout. */
function saidBy({ type, value }: Node): string | undefined {
  if (type === "TemplateElement") {
    return (value as { readonly cooked: string }).cooked.replace(MARKUP, "").trim();
  }
  if (type !== "Literal" && type !== "JSXText") return undefined;
  return typeof value === "string" ? value.trim() : undefined;
}

/** The name of an attribute or a property. */
function nameOf({ type, name, key }: Node): string {
  if (type !== "JSXAttribute" && type !== "Property") return "";
  const { name: text, value } = (name ?? key) as {
    readonly name?: string;
    readonly value?: string;
  };
  return text ?? value ?? "";
}

/** A word where texts are read; two words and more anywhere. */
function isText(text: string, isRead: boolean): boolean {
  if (NAMES.has(text)) return false;
  return isRead ? /\p{L}{2}/u.test(text) : isSentence(text);
}

function isSentence(text: unknown): boolean {
  return typeof text === "string" && /\p{L}{2,} \p{L}{2,}/u.test(text);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

/** Every text with its path; of a function, that there is one. */
function leavesOf(value: unknown, at = ""): readonly (readonly [string, unknown])[] {
  if (typeof value === "function") return [[at, "function"]];
  if (typeof value !== "object" || value === null) return [[at, value]];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, `${at}.${key}`));
}
