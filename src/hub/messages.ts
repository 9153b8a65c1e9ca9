import type { DownloadProgress } from "./downloadFiles";
import type { HubErrorCode } from "./hubError";
import type { KeptModel } from "./keptModels";
import type { HubAccess, ModelAddress } from "./repository";

/** Page to the install worker. */
export interface InstallRequest {
  readonly address: ModelAddress;
  readonly access: Pick<HubAccess, "endpoint" | "token">;
}

/** Install worker to page. */
export type InstallMessage =
  | { readonly type: "progress"; readonly progress: DownloadProgress }
  | { readonly type: "kept"; readonly kept: KeptModel }
  | { readonly type: "failed"; readonly code: HubErrorCode; readonly message: string };
