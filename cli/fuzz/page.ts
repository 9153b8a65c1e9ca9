import fs from "node:fs";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { POLICIES } from "@/compression/registry";
import { titleOf, turnsUntil } from "@/store/conversation/conversation";
import { parseAddress } from "@/store/images/fetchImage";
import { checkRecord } from "@/store/library/consistency";
import { withCurrentOptions } from "@/store/library/currentOptions";
import { exportJson } from "@/store/library/exportJson";
import { readDocument, recordOf } from "@/store/library/importJson";
import { entryOf, revive, toRecord } from "@/store/library/records";
import { SchemaError } from "@/store/library/schema";
import { readAddress, writeAddress } from "@/store/settings/address";
import { INITIAL_SETTINGS } from "@/store/settings/settings";
import { mutatedJson } from "./mutate";
import { ensure, type FuzzTarget, readOrRefused } from "./target";

/** A conversation that a person imports. */
export function imports(): FuzzTarget<string> {
  const seed = fs.readFileSync("fixtures/conversations/exported.json", "utf8");
  return {
    name: "import",
    inputs: mutatedJson([seed]),
    async check(json) {
      let ids = 0;
      const take = () => recordOf(readDocument(json, "file.json"), () => `id${ids++}`, 1);
      const record = await readOrRefused(take, [SchemaError]);
      if (!record) return;
      // What the page does with a conversation that it has stored.
      const shown = withCurrentOptions(revive(checkRecord(record)), POLICIES);
      ensure(typeof entryOf(record).title === "string", "an entry without a title");
      ensure(typeof titleOf(shown) === "string", "a conversation without a title");
      for (const { id } of shown.exchanges) turnsUntil(shown, id);
      const again = await exportJson(toRecord(shown, 1));
      const [once, twice] = [await exportJson(record), again].map((text) => plain(text));
      ensure(once?.exchanges.length === twice?.exchanges.length, "an exchange was lost");
      const reread = recordOf(readDocument(again, "again.json"), () => "id", 1);
      const exported = JSON.parse(await exportJson(reread));
      ensure(isDeepStrictEqual(exported, JSON.parse(again)), "the export is not read as it is");
    },
  };
}

function plain(text: string): { readonly exchanges: readonly unknown[] } {
  return JSON.parse(text);
}

const NAMES = [
  ...["policy", "keep", "scope", "cap", "layer", "veil", "sample", "model", "seed", "top-p"],
  ...["temperature", "max-new-tokens", "o.alpha", "o.constructor", "o.__proto__", "o.window", "o."],
];
const value = fc.oneof(
  fc.constantFrom(...POLICIES.map(({ id }) => id)),
  fc.constantFrom("visual", "prompt", "all", "heat", "__proto__", "", "1e999", "0x10", " 5", "-0"),
  fc.double().map(String),
  fc.integer().map(String),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const pair = fc.tuple(fc.constantFrom(...NAMES), value);
const query = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(pair, { maxLength: 12 })
      .map((pairs) => `?${new URLSearchParams(pairs.map(([name, text]) => [name, text]))}`),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
);

/** The address of the page. */
export function pageAddresses(): FuzzTarget<string> {
  return {
    name: "address",
    inputs: query,
    check(text) {
      const read = readAddress(text, POLICIES);
      const write = (given: typeof read) =>
        writeAddress("", { ...INITIAL_SETTINGS, ...given }, POLICIES);
      const { keepPercent = 1, layer = 0 } = read;
      ensure(keepPercent >= 1 && keepPercent <= 100, `keep ${keepPercent}`);
      ensure(layer === "all" || (Number.isInteger(layer) && layer >= 0), `layer ${layer}`);
      const [once, twice] = [write(read), write(readAddress(write(read), POLICIES))];
      ensure(once === twice, `${once} is read as ${twice}`);
    },
  };
}

/** The address of an image, as a person types or pastes it. */
export function imageAddresses(): FuzzTarget<string> {
  const parts = ["http://", "https:", "data:", "blob:", "javascript:", "file:", "//", "localhost"];
  const pieces = fc.oneof(
    fc.constantFrom(...parts, ":80", "@", "[::1]", "a.b", "/x.png", "?", "#", "%", "\\", " "),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  return {
    name: "image-address",
    inputs: fc.array(pieces, { maxLength: 8 }).map((list) => list.join("")),
    check(text) {
      const url = parseAddress(text);
      if (!url) return;
      ensure(/^(https?|data|blob):$/.test(url.protocol), `protocol ${url.protocol}`);
      ensure(URL.canParse(url.href), `${url.href} is no address`);
    },
  };
}
