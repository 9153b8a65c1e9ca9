import type { DownloadProgress } from "./downloadFiles";
import type { HubErrorCode } from "./hubError";
import type { HubAccess, ModelAddress } from "./repository";
import type { StoredModel } from "./storedModels";

/** Page to the install worker. */
export interface InstallRequest {
  readonly address: ModelAddress;
  readonly access: Pick<HubAccess, "endpoint" | "token">;
}

/** Install worker to page. */
export type InstallMessage =
  | { readonly type: "progress"; readonly progress: DownloadProgress }
  | { readonly type: "stored"; readonly stored: StoredModel }
  | { readonly type: "failed"; readonly code: HubErrorCode; readonly message: string };
