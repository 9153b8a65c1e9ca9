import type { EngineFailure } from "@/protocol/failure";
import type { Attempt, ChatConversation } from "../conversation/conversation";
import type { ModelState } from "../engine/model";
import type { SettingsState } from "../settings/settings";

/** Parts of a report that are someone's own: left out unless chosen. */
interface ReportParts {
  /** Questions, answers, and the titles of images. */
  readonly text: boolean;
  /** Image files. */
  readonly images: boolean;
}

export interface ReportSources {
  readonly model: ModelState;
  readonly settings: SettingsState;
  readonly conversation: ChatConversation;
  readonly devicesLost: number;
  /** What the browser says of itself and of its adapter. */
  readonly browser: BrowserFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface BrowserFacts {
  readonly userAgent: string;
  /** WebGPU limits of the adapter; undefined without WebGPU. */
  readonly limits: Readonly<Record<string, number>> | undefined;
  /** Bytes that this origin stores and may store. */
  readonly storage: { readonly usage?: number; readonly quota?: number } | undefined;
}

/** A report of a problem, as JSON text: what developers need, and nothing of a person's own by default. */
export async function problemReport(
  { model, settings, conversation, devicesLost, browser, now }: ReportSources,
  parts: ReportParts,
): Promise<string> {
  const attempts = conversation.exchanges.flatMap((exchange) => exchange.attempts);
  const report = {
    format: "keepsight-report",
    version: 1,
    writtenAt: new Date(now).toISOString(),
    browser,
    model: modelFacts(model),
    devicesLost,
    settings,
    lastFailure: lastFailure(model, attempts, parts),
    attempts: attempts.map((attempt) => attemptFacts(attempt, parts)),
    ...(parts.text && { questions: conversation.exchanges.map(({ question }) => question) }),
    images: await Promise.all(
      conversation.images.map(async ({ blob, width, height, title }) => ({
        ...{ type: blob.type, bytes: blob.size, width, height },
        ...(parts.text && { title }),
        ...(parts.images && { base64: await base64(blob) }),
      })),
    ),
  };
  return JSON.stringify(report, undefined, 1);
}

function modelFacts(model: ModelState): unknown {
  if (model.phase === "ready") return { phase: model.phase, ...model.info };
  return model.phase === "loading"
    ? { phase: model.phase, step: model.step }
    : { phase: model.phase };
}

/** A failure's sentence may quote what a person typed, and the name of a file. */
function lastFailure(
  model: ModelState,
  attempts: readonly Attempt[],
  parts: ReportParts,
): Partial<EngineFailure> | undefined {
  const failed = attempts.findLast(({ run }) => run.phase === "failed")?.run;
  if (model.phase === "failed") return told(model.failure, parts);
  return failed?.phase === "failed" ? told(failed.failure, parts) : undefined;
}

function told({ code, message, detail, action }: EngineFailure, { text }: ReportParts) {
  return { code, ...(action && { action }), ...(text && { message, ...(detail && { detail }) }) };
}

/** Settings, times and sizes of one answer. */
function attemptFacts({ settings, run, comparison }: Attempt, parts: ReportParts): unknown {
  const facts = { settings, isLane: comparison !== undefined, phase: run.phase };
  if (run.phase === "failed") return { ...facts, failure: told(run.failure, parts) };
  if (run.phase !== "done") return facts;
  const { finish, promptTokens, visualTokens, appended, kvBytes, ms, tokenIds } = run.result;
  return {
    ...facts,
    ...{ finish, promptTokens, visualTokens, appended, kvBytes, ms, tokens: tokenIds.length },
    tokenMs: run.timings?.tokenMs,
    ...(parts.text && { answer: run.result.answer, notices: run.result.notices }),
  };
}

async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** @param gpu undefined without WebGPU */
export async function browserFacts({ gpu, storage, userAgent }: Navigator): Promise<BrowserFacts> {
  const adapter = await (gpu as GPU | undefined)?.requestAdapter().catch(() => null);
  const limits: Record<string, number> = {};
  // Limits are getters of the prototype, which spreading leaves out.
  if (adapter)
    for (const name in adapter.limits) limits[name] = Number(adapter.limits[name as never]);
  const { usage, quota } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
  return {
    userAgent,
    limits: adapter ? limits : undefined,
    storage: usage === undefined || quota === undefined ? undefined : { usage, quota },
  };
}
