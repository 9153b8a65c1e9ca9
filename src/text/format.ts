/** Number formats of the page and of tables; fixed rules keep widths stable. */

const SPACE = "\u00a0";
const NONE = "–";

/** MB with two decimals; kB under 0.1 MB, GB above 999 MB (powers of ten). */
export function formatBytes(bytes: number): string {
  const { value, unit } = bytesParts(bytes);
  return unit ? `${value}${SPACE}${unit}` : value;
}

/** Number and unit separately, to show them in different sizes. */
export function bytesParts(bytes: number): { readonly value: string; readonly unit: string } {
  if (!Number.isFinite(bytes) || bytes < 0) return { value: NONE, unit: "" };
  const megabytes = bytes / 1e6;
  if (megabytes < 0.1) return { value: (bytes / 1e3).toFixed(0), unit: "kB" };
  if (megabytes > 999) return { value: (megabytes / 1e3).toFixed(2), unit: "GB" };
  return { value: megabytes.toFixed(2), unit: "MB" };
}

/** Whole megabytes for download progress: `12 MB`, `12.4 MB` under 100 with `decimals`. */
export function formatMegabytes(bytes: number, decimals = 1): string {
  return `${(bytes / 1e6).toFixed(decimals)}${SPACE}MB`;
}

/** No decimals above 10 ms, one below; seconds with one decimal from 1000 ms on. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NONE;
  if (ms >= 999.5) return `${(ms / 1e3).toFixed(1)}${SPACE}s`;
  return `${ms >= 9.95 ? ms.toFixed(0) : ms.toFixed(1)}${SPACE}ms`;
}

/** Milliseconds without conversion to seconds, for axes and columns with one unit. */
export function formatMsNumber(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NONE;
  return ms >= 9.95 ? ms.toFixed(0) : ms.toFixed(1);
}

/** A retention in (0, 1] as percent: `10 %`, `2.5 %`. */
export function formatRetention(retention: number): string {
  return `${Number((retention * 100).toPrecision(3))}${SPACE}%`;
}

/** Relative change of a size: `−84 %`, `+3 %`, `±0 %`. */
export function formatChange(now: number, before: number): string {
  if (!(before > 0) || !Number.isFinite(now)) return NONE;
  const percent = Math.round((now / before - 1) * 100);
  const sign = percent < 0 ? "−" : percent > 0 ? "+" : "±";
  return `${sign}${Math.abs(percent)}${SPACE}%`;
}

/** Integers in groups of three digits, separated by a narrow no-break space from five digits on. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NONE;
  const digits = Math.round(count).toString();
  return digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Parameters: `9.3 M`, `256 M`, `2.2 B`. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}${SPACE}B`;
  const millions = count / 1e6;
  return `${millions < 100 ? millions.toFixed(1) : millions.toFixed(0)}${SPACE}M`;
}
