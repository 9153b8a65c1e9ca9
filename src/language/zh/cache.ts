import type { Texts } from "../en/en";

export const cacheZh: Texts["cache"] = {
  name: "缓存",
  done: "完成",
  policy: "策略",
  scope: "范围",
  visual: "视觉 token",
  prompt: "整个提示",
  keep: {
    name: "保留",
    percent: "保留百分比",
    problem: "1 到 100 的整数。",
    ofVisual: "% 的视觉 token",
    ofPrompt: "% 的提示",
    value: (percent) => `保留 ${percent} %`,
  },
  sweep: {
    button: "最低能到多少？",
    help: "用一次预填充，以 50、30、20、10、5、3、2、1 % 重新回答最后一个问题。",
    running: (done, all) => `正在提问，已回答 ${done} / ${all} 个比例`,
    smallest: (question, percent) => `“${question}”：直到 ${percent} %，回答都与完整缓存相同。`,
    none: (question) => `“${question}”：在 50 % 时回答已与完整缓存不同。`,
    answers: "各比例的回答",
  },
  cap: {
    name: "上限",
    help: "整个对话的 KV 缓存上限；先丢弃较早的行。",
    off: "不限",
  },
  reference: {
    name: "每个回答都与完整缓存比较",
    help: "每次回答之后，完整缓存也会回答一次，随后释放其内存。",
  },
  options: "选项",
  defaults: "恢复默认值",
  deviation: (sentence) => `这个变体不严格遵守预算：${sentence}`,
  calibrate: "用示例页校准",
  calibrating: (page, pages) => `正在校准，第 ${page} 页，共 ${pages} 页`,
  modelNotLoaded: "模型尚未加载。",
  sampleNotRead: "无法读取一个示例页。",
  allowed: {
    odd: "奇数",
    whole: "整数",
    any: "数值",
    rule: (kind, min, max, empty) =>
      `${min} 到 ${max} 的${kind}${empty === undefined ? "" : `；留空表示${empty}`}。`,
  },
  answer: {
    name: "回答",
    maxNewTokens: { label: "长度上限（token）", help: "到达后结束回答，即使回答尚未完整。" },
    temperature: { label: "温度", help: "0 总是取最可能的 token；值越大，采样范围越广。" },
    topP: { label: "Top-p", help: "从累计概率达到此值的最可能 token 中采样；1 表示全部。" },
    seed: { label: "随机种子", help: "相同的种子采样相同的 token，并在“随机”策略下选择相同的行。" },
  },
  settings: {
    withCap: (settings, megabytes) => `${settings}，上限 ${megabytes} MB`,
    ofPrompt: "范围为整个提示",
    temperature: (value) => `温度 ${value}`,
    topP: (value) => `top-p ${value}`,
    seed: (value) => `种子 ${value}`,
    atMost: (tokens) => `最多 ${tokens} 个 token`,
  },
};
