import type { Texts } from "../en/en";

export const exportZh: Texts["export"] = {
  endings: {
    stop: "",
    cancelled: "已停止。",
    length: "达到长度上限而结束。",
    context: "上下文已满而结束。",
    memory: "内存已满而结束。",
  },
  same: (isHidden) => `与${reference(isHidden)}的回答相同。`,
  differs: (isHidden) => `与${reference(isHidden)}的回答不同。`,
  before: "压缩前的 KV 缓存",
  after: "压缩后",
  end: "结束时",
  full: "完整缓存",
  perToken: "每个词元",
  firstToken: "首个词元",
  appended: "追加的行",
  prefilled: "预填充的行",
  cached: "缓存的行",
  read: "每个词元读取",
  kept: (kept, all) => `保留 ${all} 个图块中的 ${kept} 个`,
  keptOf: (title, kept) => `${title}：${kept}，各层平均`,
  date: "日期",
  model: "模型",
  modelOf: (model, weights, cache) => `${model}（${weights}，KV 缓存 ${cache}）`,
  adapter: "适配器",
  unknownVersion: "未知",
  software: "部分回答由软件适配器计算：其时间不具代表性。",
  footer:
    "由 Keepsight 导出。字节数为实际存在的 GPU 缓冲区大小；时间在上述适配器上测得。" +
    "图块按丢弃它的层所占比例被遮盖；图块数为各层平均值。",
  layers: {
    name: "每层的行数",
    summary: (rows, most) => `各层剩余的提示行数：${rows.join("、")}；最多 ${most}。`,
    most: (rows) => `${rows} 行`,
    first: "第 1 层",
  },
  memory: {
    name: "KV 缓存",
    summary: (peak, end, full) =>
      `回答期间的 KV 缓存：最多 ${peak}，结束时 ${end}；完整缓存需要 ${full}。`,
    end: (bytes) => `结束时 ${bytes}`,
  },
  time: {
    name: "每个词元的时间",
    summary: (tokens, least, most) => `第 2 到第 ${tokens} 个词元的毫秒数：${least} 到 ${most}。`,
    first: "词元 2",
  },
};

function reference(isHidden: boolean): string {
  return isHidden ? "完整图像" : "完整缓存";
}
