import { HubError } from "./hubError";
import { install } from "./install";
import type { InstallMessage, InstallRequest } from "./messages";

/** One download: starts with its only message and is stopped by ending the worker. */
self.onmessage = async ({ data: { address, access } }: MessageEvent<InstallRequest>) => {
  const tell = (message: InstallMessage) => self.postMessage(message);
  try {
    const stored = await install(address, {
      ...access,
      onProgress: (progress) => tell({ type: "progress", progress }),
    });
    tell({ type: "stored", stored });
  } catch (error) {
    const { code, message } = error instanceof HubError ? error : notStored(error);
    tell({ type: "failed", code, message });
  }
};

/** Storage fails with errors of the browser, whose messages are not for people. */
function notStored(error: unknown): HubError {
  console.error(error);
  return new HubError(
    "noSpace",
    "The browser could not store the model. Close other tabs of this page, and try again.",
  );
}
