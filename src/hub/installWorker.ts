import { HubError } from "./hubError";
import { install } from "./install";
import type { InstallMessage, InstallRequest } from "./messages";

/** One download: starts with its only message and is stopped by ending the worker. */
self.onmessage = async ({ data: { address, access } }: MessageEvent<InstallRequest>) => {
  const tell = (message: InstallMessage) => self.postMessage(message);
  try {
    const kept = await install(address, {
      ...access,
      onProgress: (progress) => tell({ type: "progress", progress }),
    });
    tell({ type: "kept", kept });
  } catch (error) {
    const code = error instanceof HubError ? error.code : "network";
    const message = error instanceof Error ? error.message : String(error);
    tell({ type: "failed", code, message });
  }
};
