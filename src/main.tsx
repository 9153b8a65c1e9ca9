import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./ui/tokens.css";
import "./ui/base.css";
import { createRoot } from "react-dom/client";
import { POLICIES } from "@/compression/registry";
import { type Engine, EngineError } from "@/protocol/engine";
import { createApp } from "@/store/app";
import { App } from "@/ui/App";
import { initialState, keepState } from "./pageState";

const parameters = new URLSearchParams(location.search);

/** The worker starts after the page has loaded: the first paint owes it nothing. */
async function connect(): Promise<Engine> {
  if (document.readyState !== "complete") {
    await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  }
  if (parameters.get("engine") === "scripted") return connectScripted();
  if (!("gpu" in navigator) || !navigator.gpu) {
    throw new EngineError({ code: "noWebGpu", message: "This browser has no WebGPU." });
  }
  const { createWorkerEngine } = await import("@/client/workerClient");
  return createWorkerEngine();
}

/** Plays `recording.json` back; the site ships none, whoever tests the page serves one. */
async function connectScripted(): Promise<Engine> {
  const { createScriptedEngine } = await import("@/client/scriptedEngine");
  const response = await fetch(new URL("recording.json", document.baseURI));
  if (!response.ok) throw new Error("There is no recording.json to play back.");
  return createScriptedEngine(await response.json(), Number(parameters.get("pace") ?? 1));
}

const model = parameters.get("model") ?? "keepsight-mini";
const app = createApp({
  connect,
  policies: POLICIES,
  modelUrl: new URL(`models/${encodeURIComponent(model)}/`, document.baseURI).href,
  samplesUrl: new URL("samples/samples.json", document.baseURI).href,
  ...initialState(POLICIES),
});

createRoot(document.getElementById("root")!).render(<App app={app} />);
keepState(app);
app.start();
