/** Links and images of answers. */
export const shareEn = {
  open: "Share…",
  link: "Copy link",
  linkHelp: "A link that asks this question again: sample, settings and lanes",
  image: "Save as image",
  imageHelp: "One PNG: the image with what was dropped, both answers and their bytes",
};
