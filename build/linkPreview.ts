import type { HtmlTagDescriptor, Plugin } from "vite";

const TITLE = "Keepsight: chat about images with a compressed KV cache";
const DESCRIPTION =
  "A vision-language model in the browser on WebGPU. Published methods drop most of its KV cache; " +
  "every answer is compared with the full cache’s.";
const IMAGE = { file: "preview.png", width: 1200, height: 630 } as const;

/**
 * Title, description and preview image for sites that show links.
 * @param site address of the built site: previews need an absolute address of the image
 */
export function linkPreview(site: string): Plugin {
  return {
    name: "link-preview",
    transformIndexHtml: {
      order: "pre",
      handler: (_, { path }) => (path === "/index.html" ? previewTags(site) : []),
    },
  };
}

export function previewTags(site: string): HtmlTagDescriptor[] {
  const image = site ? new URL(IMAGE.file, folderOf(site)).href : `./${IMAGE.file}`;
  const properties = {
    "og:type": "website",
    "og:title": TITLE,
    "og:description": DESCRIPTION,
    ...(site ? { "og:url": folderOf(site).href } : {}),
    "og:image": image,
    "og:image:width": String(IMAGE.width),
    "og:image:height": String(IMAGE.height),
    "og:image:alt":
      "A receipt with its dropped patches hatched, and two answers with the bytes of their caches",
  };
  return [
    ...Object.entries(properties).map(([property, content]) => meta({ property, content })),
    meta({ name: "twitter:card", content: "summary_large_image" }),
  ];
}

function folderOf(site: string): URL {
  return new URL(site.endsWith("/") ? site : `${site}/`);
}

function meta(attrs: Readonly<Record<string, string>>): HtmlTagDescriptor {
  return { tag: "meta", attrs: { ...attrs }, injectTo: "head" };
}
