import { expect, it } from "vitest";
import { type JsonObject, ModelFiles } from "./files";
import { readStopIds } from "./stopIds";

/** @param generation undefined: there is no generation_config.json */
function stopIds(generation: unknown, config: JsonObject): Promise<number[]> {
  const fetch = async () =>
    generation === undefined
      ? new Response(null, { status: 404 })
      : new Response(JSON.stringify(generation));
  return readStopIds(new ModelFiles("https://host/model/", { fetch }), config);
}

// What `generate` of transformers 5.18 stops at, for each pair of files.
it.each([
  [undefined, { eos_token_id: 78 }, [78]],
  [{ eos_token_id: 78 }, {}, [78]],
  [{ eos_token_id: [78, 231] }, {}, [78, 231]],
  [{ eos_token_id: [] }, { eos_token_id: 78 }, []],
  [{ eos_token_id: null }, { eos_token_id: 78 }, []],
  [{ eos_token_id: -1 }, { eos_token_id: 78 }, [-1]],
  [undefined, { eos_token_id: [] }, []],
  [undefined, { eos_token_id: null, text_config: { eos_token_id: 5 } }, [5]],
])("%j beside %j stops at %j", async (generation, config, expected) => {
  expect(await stopIds(generation, config)).toEqual(expected);
});

it("reads config.json where generation_config.json does not have the field", async () => {
  expect(await stopIds({ bos_token_id: 1 }, { eos_token_id: 78 })).toEqual([78]);
});

it.each([
  [{ eos_token_id: "78" }, {}, /eos_token_id of the model's generation_config.json is 78, not/],
  [{ eos_token_id: [2, true] }, {}, /generation_config.json is true/],
  [undefined, { eos_token_id: 1.5 }, /config.json is 1.5/],
  [undefined, {}, /name no eos_token_id/],
])("%j beside %j is refused by name", async (generation, config, words) => {
  await expect(stopIds(generation, config)).rejects.toThrow(words);
});
