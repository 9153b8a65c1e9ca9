import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import { test } from "./test";

/** PyTorch's answers from `public/samples/samples.json`. */
interface Sample {
  readonly file: string;
  readonly questions: readonly string[];
  readonly answers: readonly string[];
}

/** Bare specifiers as a bundler would resolve them. */
const IMPORTS = {
  "@huggingface/transformers": "./modules/@huggingface/transformers/dist/transformers.web.min.js",
  "onnxruntime-web/webgpu": "./modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
  "onnxruntime-common": "./modules/onnxruntime-common/dist/esm/index.js",
};

/** A blank page of the site that imports the published Transformers.js. */
async function openLibrary(page: Page): Promise<void> {
  await page.route("**/modules/**", (route) => {
    const [, file] = route.request().url().split("/modules/");
    return route.fulfill({ path: `node_modules/${file}` });
  });
  await page.route("**/library.html", (route) => {
    const map = `<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
    return route.fulfill({ contentType: "text/html", body: `<!doctype html>${map}` });
  });
  await page.goto("library.html");
}

/** Runs in the page: Transformers.js alone, none of our code, on ONNX Runtime's CPU provider. */
async function answers(
  asked: readonly { readonly file: string; readonly question: string }[],
): Promise<readonly string[]> {
  const { AutoModelForImageTextToText, AutoProcessor, env, RawImage } = await import(
    "@huggingface/transformers"
  );
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  // A path: as local models the library takes no addresses.
  env.localModelPath = new URL("models/", location.href).pathname;
  Object.assign(env.backends.onnx.wasm ?? {}, {
    numThreads: 1,
    wasmPaths: new URL("modules/onnxruntime-web/dist/", location.href).href,
  });
  const processor = await AutoProcessor.from_pretrained("keepsight-mini");
  const model = await AutoModelForImageTextToText.from_pretrained("keepsight-mini", {
    device: "wasm",
    dtype: "fp32",
  });
  const texts: string[] = [];
  for (const { file, question } of asked) {
    const image = await RawImage.read(new URL(`samples/${file}`, location.href).href);
    const content = [{ type: "image" }, { type: "text", text: question }];
    const prompt = processor.apply_chat_template([{ role: "user", content }] as never, {
      add_generation_prompt: true,
    });
    const inputs = await processor(prompt, [image]);
    const ids = await model.generate({ ...inputs, max_new_tokens: 32, do_sample: false });
    const fresh = (ids as never as { slice(...range: unknown[]): unknown }).slice(null, [
      inputs.input_ids.dims.at(-1),
      null,
    ]);
    const [text = ""] = processor.batch_decode(fresh as never, { skip_special_tokens: true });
    texts.push(text.trim());
  }
  return texts;
}

test("Transformers.js loads the embedded model and reads its pages as PyTorch does", async ({
  page,
}) => {
  const samples: readonly Sample[] = JSON.parse(
    fs.readFileSync("public/samples/samples.json", "utf8"),
  );
  const read = samples.slice(0, 2);
  await openLibrary(page);
  const asked = read.map(({ file, questions: [question = ""] }) => ({ file, question }));
  expect(await page.evaluate(answers, asked)).toEqual(read.map((sample) => sample.answers[0]));
});
