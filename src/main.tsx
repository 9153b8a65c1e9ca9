import "./language/navigatorLanguage";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./ui/tokens.css";
import "./ui/base.css";
import { createRoot } from "react-dom/client";
import { acceptOwnScripts } from "@/client/ownScripts";
import { POLICIES } from "@/compression/registry";
import { createHub } from "@/hub/hub";
import type { Engine } from "@/protocol/engine";
import { EngineError } from "@/protocol/failure";
import { createApp } from "@/store/app/app";
import { App } from "@/ui/App";
import { startOffline } from "./offline/page";
import { drawing, initialState, keepState, speakChosen } from "./pageState";

acceptOwnScripts();

const parameters = new URLSearchParams(location.search);

/** Workers start after the page has loaded, so they do not delay the first paint. */
const offline = loaded().then(startOffline);

async function loaded(): Promise<void> {
  if (document.readyState === "complete") return;
  await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
}

async function connect(): Promise<Engine> {
  const { ready } = await offline;
  if (parameters.get("engine") === "scripted") {
    await ready; // what it fetches would keep a newer build from taking over
    return connectScripted();
  }
  if (!("gpu" in navigator) || !navigator.gpu) {
    throw new EngineError({ code: "noWebGpu", message: "This browser has no WebGPU." });
  }
  const { createWorkerEngine } = await import("@/client/workerClient");
  const engine = createWorkerEngine();
  await ready;
  return engine;
}

/** Plays `recording.json`. The site has none; tests of the page serve one. */
async function connectScripted(): Promise<Engine> {
  const { createScriptedEngine } = await import("@/client/scriptedEngine");
  const response = await fetch(new URL("recording.json", document.baseURI));
  if (!response.ok) throw new Error("There is no recording.json to play back.");
  return createScriptedEngine(await response.json(), Number(parameters.get("pace") ?? 1));
}

/** `?model=` is a folder of `models/`, `owner/name` of the Hub, or the address of a directory. */
const model = parameters.get("model") ?? "keepsight-mini";
const isElsewhere = model.includes("/");
const modelUrl = new URL(
  `models/${encodeURIComponent(isElsewhere ? "keepsight-mini" : model)}/`,
  document.baseURI,
).href;
const initial = initialState(POLICIES);
const app = createApp({
  connect,
  policies: POLICIES,
  modelUrl,
  hub: createHub(import.meta.env.VITE_HF_ENDPOINT ?? "https://huggingface.co"),
  ...(isElsewhere ? { modelId: model } : {}),
  samplesUrl: new URL("samples/samples.json", document.baseURI).href,
  ...drawing,
  ...initial,
});

await speakChosen(initial.settings.language);
createRoot(document.getElementById("root")!).render(<App app={app} />);
keepState(app);
app.load.store.subscribe(({ phase }) => {
  if (phase === "ready" || phase === "failed") void offline.then(({ keep }) => keep(modelUrl));
});
app.start();
