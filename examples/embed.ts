import { createKeepsight, toFailure } from "@/client/keepsight";
import { acceptOwnScripts } from "@/client/ownScripts";

// The policy of this page enforces Trusted Types; see docs/hosting.md.
acceptOwnScripts();

const form = document.querySelector("form")!;
const button = form.querySelector("button")!;
const output = document.querySelector("output")!;
const status = document.querySelector("[role=status]")!;

const keepsight = createKeepsight();
const model = keepsight.load("../models/keepsight-mini/", {
  onProgress: ({ file, loadedBytes, totalBytes }) =>
    status.replaceChildren(`Loading ${file}: ${loadedBytes} of ${totalBytes} bytes`),
});
model.then(() => status.replaceChildren("Ready."), tell);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  button.disabled = true;
  ask(fields.get("image") as File, String(fields.get("question")))
    .catch(tell)
    .finally(() => {
      button.disabled = false;
    });
});

async function ask(picture: Blob, question: string): Promise<void> {
  await model;
  output.textContent = "";
  const settings = { policy: "aircache", retention: 0.1 };
  const answer = keepsight.ask({ images: [picture], question, settings });
  for await (const { text } of answer) output.append(text);
  const { kvBytes } = await answer.result;
  status.textContent = `KV cache: ${kvBytes.end} bytes instead of ${kvBytes.full}`;
}

function tell(error: unknown): void {
  status.textContent = toFailure(error).message;
}
