/** Number formats of the page and of tables; fixed rules keep widths stable. */

const SPACE = "\u00a0";
const NONE = "–";

let locale = "en";
const formats = new Map<string, Intl.NumberFormat>();

/** Sets the language whose digits, points and groups are written. @param tag BCP 47 */
export function setNumberLocale(tag: string): void {
  locale = tag;
  formats.clear();
}

/** Formats are kept, because making one takes longer than using it. */
function written(value: number, options: Intl.NumberFormatOptions): string {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { useGrouping: false, ...options });
    formats.set(key, format);
  }
  return format.format(value);
}

/** A number with exactly so many decimals. */
function fixed(value: number, decimals: number): string {
  return written(value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** MB with two decimals; kB under 0.1 MB, bytes under 1 kB, GB above 999 MB (powers of ten). */
export function formatBytes(bytes: number): string {
  const { value, unit } = bytesParts(bytes);
  return unit ? `${value}${SPACE}${unit}` : value;
}

/** Number and unit separately, to show them in different sizes. */
export function bytesParts(bytes: number): { readonly value: string; readonly unit: string } {
  if (!Number.isFinite(bytes) || bytes < 0) return { value: NONE, unit: "" };
  if (bytes < 999.5) return { value: fixed(bytes, 0), unit: "B" };
  const megabytes = bytes / 1e6;
  if (megabytes < 0.1) return { value: fixed(bytes / 1e3, 0), unit: "kB" };
  if (megabytes > 999) return { value: fixed(megabytes / 1e3, 2), unit: "GB" };
  return { value: fixed(megabytes, 2), unit: "MB" };
}

/** Whole megabytes for download progress: `12 MB`, `12.4 MB` under 100 with `decimals`. */
export function formatMegabytes(bytes: number, decimals = 1): string {
  return `${fixed(bytes / 1e6, decimals)}${SPACE}MB`;
}

/** No decimals above 10 ms, one below; seconds with one decimal from 1000 ms on. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NONE;
  if (ms >= 999.5) return `${fixed(ms / 1e3, 1)}${SPACE}s`;
  return `${fixed(ms, ms >= 9.95 ? 0 : 1)}${SPACE}ms`;
}

/** An estimated time, of two digits: `110 ms`, `43 s`, `7.1 min`, `2.3 h`. */
export function formatEstimate(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return NONE;
  const units = [
    [5400, 3600, "h"],
    [90, 60, "min"],
    [0.9995, 1, "s"],
  ] as const;
  const [, size, unit] = units.find(([least]) => seconds >= least) ?? [0, 1e-3, "ms"];
  return `${written(seconds / size, { maximumSignificantDigits: 2 })}${SPACE}${unit}`;
}

/** Milliseconds without conversion to seconds, for axes and columns with one unit. */
export function formatMsNumber(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NONE;
  return fixed(ms, ms >= 9.95 ? 0 : 1);
}

/** A retention in (0, 1] as percent: `10 %`, `2.5 %`. */
export function formatRetention(retention: number): string {
  return `${written(retention * 100, { maximumSignificantDigits: 3 })}${SPACE}%`;
}

/** A share that was counted, as percent of two digits: `1 %` for 0.00998, `97 %` for 0.973. */
export function formatShare(share: number): string {
  return `${written(share * 100, { maximumSignificantDigits: 2 })}${SPACE}%`;
}

/** A share with one decimal, for columns: `93.7 %`, `91.0 %`. */
export function formatPercent(share: number): string {
  return `${fixed(share * 100, 1)}${SPACE}%`;
}

/** Relative change of a size: `−84 %`, `+3 %`, `±0 %`. */
export function formatChange(now: number, before: number): string {
  if (!(before > 0) || !Number.isFinite(now)) return NONE;
  const percent = Math.round((now / before - 1) * 100);
  const sign = percent < 0 ? "−" : percent > 0 ? "+" : "±";
  return `${sign}${Math.abs(percent)}${SPACE}%`;
}

/** A time in a video: `0:05`, `61:02`. */
export function formatClock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Integers, in groups of three digits from five digits on. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NONE;
  return written(count, { maximumFractionDigits: 0, useGrouping: "min2" });
}

/** Parameters: `9.3 M`, `256 M`, `2.2 B`. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${fixed(count / 1e9, 1)}${SPACE}B`;
  const millions = count / 1e6;
  return `${fixed(millions, millions < 100 ? 1 : 0)}${SPACE}M`;
}
