/** Whether the Content-Security-Policy of this page lets it read from an address. */
export function mayRead(url: URL): boolean {
  const meta = globalThis.document?.querySelector<HTMLMetaElement>(
    'meta[http-equiv="Content-Security-Policy"]',
  );
  return !meta || allowsReading(meta.content, url, location.origin);
}

/**
 * @param policy its `connect-src` holds hosts, origins, `https:` and `'self'`, as the build writes it
 * @param self origin of the page
 */
export function allowsReading(policy: string, url: URL, self: string): boolean {
  const directives = policy.split(";").map((directive) => directive.trim().split(/\s+/));
  const [, ...sources] = directives.find(([name]) => name === "connect-src") ?? [];
  return sources.some((source) => {
    if (source === "'self'") return url.origin === self;
    if (source === "https:") return url.protocol === source;
    if (source.includes("//")) return url.origin === source;
    const isPlain = url.protocol === "https:" && url.port === "";
    const isBelow = source.startsWith("*.") && url.hostname.endsWith(source.slice(1));
    return isPlain && (isBelow || url.hostname === source);
  });
}
