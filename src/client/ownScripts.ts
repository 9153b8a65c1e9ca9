/** The part of Trusted Types that is used here; TypeScript's library lacks it. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): unknown;
}

/**
 * Accepts addresses of this page's own origin for workers and the service worker. It is the default
 * policy of Trusted Types, and the page's only one: the browser asks it for every address that is a
 * plain string, and still refuses markup and code that are made from text. For a whole page, not for
 * code that is embedded in another's.
 */
export function acceptOwnScripts(): void {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  trustedTypes?.createPolicy("default", { createScriptURL: ownScript });
}

function ownScript(address: string): string {
  const url = new URL(address, document.baseURI);
  if (url.origin === location.origin) return url.href;
  throw new TypeError(`Scripts come from ${location.origin} only, not from ${url.origin}.`);
}
