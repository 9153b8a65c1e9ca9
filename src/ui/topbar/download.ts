import type { Library } from "@/store/library/library";
import type { Entry } from "@/store/library/records";
import type { PolicyInfo } from "@/store/settings/policyInfo";

type Named = Pick<Entry, "id" | "title">;

/** Saves a conversation as one HTML page. Its code is loaded on demand. */
export async function downloadHtml(
  { archive }: Library,
  policies: readonly PolicyInfo[],
  { id, title }: Named,
): Promise<void> {
  const record = await archive.record(id);
  if (!record) return;
  const { exportHtml } = await import("../export/exportHtml");
  download(await exportHtml(record, policies), "text/html", `${fileName(title)}.html`);
}

export async function downloadJson(library: Library, { id, title }: Named): Promise<void> {
  const json = await library.exported(id);
  if (json) download(json, "application/json", `${fileName(title)}.json`);
}

function fileName(title: string): string {
  const name = title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
  return name.slice(0, 60) || "conversation";
}

/** Saves a file. */
export function download(content: BlobPart, type: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
