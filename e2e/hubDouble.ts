import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Page, Route } from "@playwright/test";

const HUB = "https://huggingface.co";
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "*",
  "access-control-allow-headers": "*",
};

export interface HubDouble {
  readonly commit: string;
  /** Requests so far: path and range. */
  readonly requests: string[];
  /** Changes how the next requests are answered. */
  behave(behaviour: Behaviour): void;
}

interface Behaviour {
  /** Refuses everything, like a lost network. */
  readonly isOffline?: boolean;
  /** Changes a byte of the weights. */
  readonly isDamaged?: boolean;
  /** Bytes of the weights after which every connection breaks. */
  readonly cutAt?: number;
  /** Requires a token for the files. */
  readonly isGated?: boolean;
}

/**
 * A double of the Hub with one model, in place of huggingface.co: the same paths, ranges and refusals. It does
 * not redirect to a storage host as the Hub does, because a redirected request would leave the double.
 */
export async function startHubDouble(page: Page, id: string, folder: string): Promise<HubDouble> {
  const commit = createHash("sha1").update(id).digest("hex");
  const requests: string[] = [];
  let behaviour: Behaviour = {};
  const names = fs.readdirSync(folder);
  const read = (name: string) => fs.readFileSync(path.join(folder, name));
  const sha256 = (name: string) => createHash("sha256").update(read(name)).digest("hex");
  const siblings = names.map((rfilename) => {
    const { size } = fs.statSync(path.join(folder, rfilename));
    const lfs = rfilename.endsWith(".safetensors")
      ? { lfs: { size, sha256: sha256(rfilename) } }
      : {};
    return { rfilename, size, ...lfs };
  });

  async function answer(route: Route): Promise<void> {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const { range = "", authorization } = request.headers();
    requests.push(`${pathname} ${range}`.trim());
    const fulfil = (status: number, headers: Record<string, string>, body: Buffer | string = "") =>
      route.fulfill({ status, headers: { ...CORS, ...headers }, body });
    if (behaviour.isOffline) return route.abort("internetdisconnected");
    if (request.method() === "OPTIONS") return fulfil(204, {});
    if (
      pathname === `/api/models/${id}/revision/main` ||
      pathname.endsWith(`/revision/${commit}`)
    ) {
      const cardData = { license: "apache-2.0" };
      return route.fulfill({ json: { id, sha: commit, cardData, siblings }, headers: CORS });
    }
    if (pathname.startsWith("/api/")) return fulfil(404, { "x-error-code": "RepoNotFound" });
    if (behaviour.isGated && !authorization) return fulfil(403, { "x-error-code": "GatedRepo" });
    const name = pathname.split("/").at(-1) ?? "";
    if (!names.includes(name)) return fulfil(404, { "x-error-code": "EntryNotFound" });
    const isLarge = name.endsWith(".safetensors");
    const bytes = read(name);
    if (isLarge && behaviour.isDamaged) bytes[bytes.length - 1]! ^= 1;
    const [start = 0, last = bytes.length - 1] = (range.match(/\d+/g) ?? []).map(Number);
    if (isLarge && last >= (behaviour.cutAt ?? Number.POSITIVE_INFINITY)) {
      return route.abort("connectionreset");
    }
    const end = Math.min(last + 1, bytes.length);
    const part = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
    return fulfil(range ? 206 : 200, range ? part : {}, bytes.subarray(start, end));
  }

  await page.context().route(`${HUB}/**`, answer);
  return {
    commit,
    requests,
    behave: (next) => {
      behaviour = next;
    },
  };
}
