import { HubError } from "@/hub/hubError";
import { fetchRepository } from "@/hub/repository";
import { mutatedJson } from "./mutate";
import { ensure, type FuzzTarget, readOrRefused } from "./target";

const ANSWER = {
  id: "owner/name",
  sha: "0123456789abcdef0123456789abcdef01234567",
  cardData: { license: "apache-2.0" },
  tags: ["license:mit"],
  siblings: [
    { rfilename: "config.json", size: 20 },
    { rfilename: "tokenizer.json", size: 30 },
    { rfilename: "model.safetensors", size: 99, lfs: { size: 99, sha256: "ab" } },
  ],
};

/** What the Hub says about a model. */
export function hubAnswers(): FuzzTarget<string> {
  return {
    name: "hub",
    inputs: mutatedJson([JSON.stringify(ANSWER)]),
    async check(text) {
      const access = { endpoint: "https://hub.test", fetch: async () => new Response(text) };
      const find = () => fetchRepository({ id: "owner/name", revision: "main" }, access);
      const found = await readOrRefused(find, [HubError]);
      if (!found) return;
      ensure(/^[0-9a-f]{40}$/.test(found.commit), `commit ${found.commit}`);
      ensure(typeof (found.license ?? "") === "string", "a licence that is no text");
      for (const { name, bytes, sha256 = "" } of found.files) {
        ensure(!/[/\\]/.test(name), `file ${name}`);
        ensure(Number.isSafeInteger(bytes) && bytes >= 0, `${bytes} bytes`);
        ensure(typeof sha256 === "string", "a digest that is no text");
      }
    },
  };
}
