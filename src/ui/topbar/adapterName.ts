import { texts } from "@/language/language";
import type { AdapterInfo } from "@/protocol/model";

/** The most specific name that the browser reports for an adapter. */
export function adapterName({
  description,
  architecture,
  vendor,
}: Pick<AdapterInfo, "description" | "architecture" | "vendor">): string {
  if (description) return description.replace(/\s*\(.*\)$/, "");
  return [vendor, architecture].filter(Boolean).join(" ") || texts.page.model.unnamedAdapter;
}
