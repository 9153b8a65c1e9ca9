import type { Texts } from "../en/en";

export const shareZh: Texts["share"] = {
  open: "分享…",
  link: "复制链接",
  linkHelp: "打开后会重新提问的链接：包含示例、设置和各栏",
  image: "保存为图像",
  imageHelp: "一张 PNG：标出丢弃部分的图像、两个回答及其字节数",
};
