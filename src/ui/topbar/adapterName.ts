import type { AdapterInfo } from "@/protocol/engine";

/** The most telling name that a browser gives of an adapter. */
export function adapterName({
  description,
  architecture,
  vendor,
}: Pick<AdapterInfo, "description" | "architecture" | "vendor">): string {
  if (description) return description.replace(/\s*\(.*\)$/, "");
  return [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
}
