import { expect, it } from "vitest";
import type { ChatConversation } from "../conversation/conversation";
import { INITIAL_SETTINGS } from "../settings/settings";
import { problemReport, type ReportSources } from "./report";
import { result } from "./testing";

const settings = { policy: "aircache", retention: 0.1, scope: "visual", options: {} } as const;
const conversation: ChatConversation = {
  id: "c",
  createdAt: 0,
  name: "My secret name",
  images: [
    {
      id: "p",
      title: "secret-title.png",
      alt: "secret alt",
      blob: new Blob(["pixels"], { type: "image/png" }),
      url: "blob:secret",
      width: 3,
      height: 4,
    },
  ],
  exchanges: [
    {
      id: "e",
      images: ["p"],
      question: "A secret question?",
      attempts: [
        {
          id: "a",
          settings,
          run: { phase: "done", result: result({ answer: "A secret answer." }) },
        },
        {
          id: "b",
          settings,
          run: {
            phase: "failed",
            text: "secret words",
            failure: { code: "badImage", message: "secret-title.png is cut.", detail: "secret" },
          },
        },
      ],
    },
  ],
};
const sources: ReportSources = {
  model: { phase: "ready", info: { id: "tiny", layers: 3 } as never },
  settings: INITIAL_SETTINGS,
  conversation,
  devicesLost: 1,
  browser: { userAgent: "Browser 1", limits: { maxBufferSize: 9 }, storage: undefined },
  now: 0,
};

it("holds what developers need, and nothing of a person's own", async () => {
  const text = await problemReport(sources, { text: false, images: false });
  expect(text).not.toMatch(/secret/i);
  expect(text).not.toContain(btoa("pixels"));
  expect(JSON.parse(text)).toMatchObject({
    writtenAt: "1970-01-01T00:00:00.000Z",
    browser: { userAgent: "Browser 1", limits: { maxBufferSize: 9 } },
    model: { phase: "ready", id: "tiny", layers: 3 },
    devicesLost: 1,
    lastFailure: { code: "badImage" },
    attempts: [{ phase: "done", ms: { prefill: 2 }, kvBytes: { peak: 4 } }, { phase: "failed" }],
    images: [{ type: "image/png", bytes: 6, width: 3, height: 4 }],
  });
});

it("holds texts and images where they were chosen", async () => {
  const texts = await problemReport(sources, { text: true, images: false });
  expect(JSON.parse(texts)).toMatchObject({
    questions: ["A secret question?"],
    attempts: [
      { answer: "A secret answer." },
      { failure: { message: "secret-title.png is cut." } },
    ],
    images: [{ title: "secret-title.png" }],
  });
  expect(texts).not.toContain(btoa("pixels"));
  const images = await problemReport(sources, { text: false, images: true });
  expect(JSON.parse(images)).toMatchObject({ images: [{ base64: btoa("pixels") }] });
  expect(images).not.toMatch(/secret/i);
});

it("tells a load's failure rather than an answer's", async () => {
  const failure = { code: "noWebGpu", message: "This browser has no WebGPU." } as const;
  const failed = { ...sources, model: { phase: "failed", failure } } as const;
  const text = await problemReport(failed, { text: false, images: false });
  expect(JSON.parse(text).lastFailure).toEqual({ code: "noWebGpu" });
});
