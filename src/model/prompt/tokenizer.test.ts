import { expect, it } from "vitest";
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import { Tokenizer } from "./tokenizer";

interface AddedToken {
  readonly id: number;
  readonly content: string;
}

it("takes the tokens that only tokenizer_config.json adds", async () => {
  const url = diskUrl("public/models/tiny-smolvlm");
  const whole = await (await diskFetch(`${url}tokenizer.json`)).json();
  const { added_tokens, ...json } = whole as { readonly added_tokens: readonly AddedToken[] };
  const decoder = Object.fromEntries(added_tokens.map(({ id, ...token }) => [id, token]));
  const fetch: typeof diskFetch = async (input, init) => {
    const name = String(input).split("/").at(-1);
    if (name === "tokenizer.json") return Response.json({ ...json, added_tokens: [] });
    const response = await diskFetch(input, init);
    if (name !== "tokenizer_config.json") return response;
    return Response.json({ ...(await response.json()), added_tokens_decoder: decoder });
  };
  const tokenizer = await Tokenizer.load(new ModelFiles(url, { fetch }));
  expect(added_tokens.length).toBeGreaterThan(5);
  for (const { id, content } of added_tokens) expect(tokenizer.encode(content)).toEqual([id]);
  expect(tokenizer.addedTokens).toContain("<image>");
});

it("writes no space between a text and its continuation", async () => {
  const url = diskUrl("fixtures/families/llava-next-mistral");
  const tokenizer = await Tokenizer.load(new ModelFiles(url, { fetch: diskFetch }));
  const [start, rest] = ["USER: Is it", "? [INST]"];
  expect(tokenizer.encodeRest(rest)).not.toEqual(tokenizer.encode(rest));
  const ids = [...tokenizer.encode(start), ...tokenizer.encodeRest(rest)];
  expect(ids).toEqual(tokenizer.encode(start + rest));
});
