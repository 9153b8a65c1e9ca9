import type { Texts } from "../en/en";

export const libraryZh: Texts["library"] = {
  emptyTitle: "空对话",
  copyTitle: (title) => `${title}（副本）`,
  editedTitle: (title) => `${title}（编辑前）`,
  damaged: "已损坏",
  unshown: (title, reason) => `无法显示“${title}”：${reason}。它仍在“历史”中。`,
  copied: (title) => `“${title}”已在另一个标签页中打开。这是副本：在此提出的问题单独保存。`,
  undrawn: (title) => `“${title}”上次访问时没有绘制完成，因此未打开。它仍在“历史”中。`,
  tooLarge: (file, size, most) => `“${file}”有 ${size}，上限是 ${most}。`,
  notStored: "此浏览器不保存对话。",
  silent: "此浏览器的存储没有响应。页面继续工作，但所提的问题会随页面关闭而消失。",
  full: "此浏览器的存储已满：最后一次更改未保存；请删除一些对话以腾出空间。",
  lastNotStored: "最后一次更改无法保存在此浏览器中，会随页面关闭而消失。",
  noConversation: (file, reason) => `“${file}”不是 Keepsight 的对话：${reason}。`,
  noJson: "它不是 JSON",
  imageNoData: "此对话的一张图像不是 data URL。",
  imageDamaged: "此对话的一张图像已损坏。",
  failed: "失败。",
  left: "在回答结束前离开了页面。",
};
