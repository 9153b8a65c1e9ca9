import type { Change } from "@/text/agreement";
import type { Texts } from "../en/en";

export const chatZh: Texts["chat"] = {
  name: "对话",
  conversation: "对话内容",
  welcome: {
    about: (title) => `就“${title}”提问。`,
    aboutImage: "就一张图像提问。",
    aboutImages: (count) => `就这 ${count} 张图像提一个问题。`,
    how:
      "图像在每一层的 KV 缓存中变成数百个视觉词元。策略决定保留其中哪些。" +
      "先提问，再减少保留比例，然后重新提问。",
  },
  readsEnglish: "内置模型只能读英文。请用英文提问。",
  otherModel: (earlier, loaded) =>
    `此前的回答来自 ${earlier}。${loaded} 将它们作为文本读取，不会丢失任何内容。`,
  loadAgain: (model) => `重新加载 ${model}`,
  left: (title) => `新对话。“${title}”保存在“历史”中。`,
  recovering: "图形设备已丢失。页面正在重新加载模型；对话会保留，等待中的问题随后会被提出。",
  composer: {
    question: "问题",
    askImage: "就这张图像提问",
    askImages: (count) => `就这 ${count} 张图像提问`,
    tooLong: (characters, most) =>
      `这个问题有 ${characters} 个字符，上限是 ${most} 个。请缩短后再提问。`,
    addImage: "+ 图像",
    compare: "对比",
    compareHelp: "用多种策略回答同一个问题（C）",
    stop: "停止",
    ask: "提问",
    settings: "缓存设置：",
    next: (settings) => `下一次：${settings}`,
    contextHelp: "此对话目前的词元数",
    imageHelp: (tokens, bytes) => `下一个问题前的图像增加 ${tokens} 个词元：完整缓存 ${bytes}`,
    context: "上下文 ",
  },
  images: {
    waiting: (count) => `${count} 张图像，用于这个问题`,
    asked: "提问所用的图像",
    show: (title) => `显示“${title}”`,
    remove: "移除",
    removeOf: (title) => `移除“${title}”`,
  },
  question: {
    edit: "编辑",
    editWhat: "问题",
    edited: "编辑后的问题",
    replaces: "替换这个问题及其后的所有内容。“历史”中两者都会保留。",
    cancel: "取消",
    ask: "提问",
    replaced: (title) => `先前的问题及其回答以“${title}”保存在“历史”中。`,
  },
  copy: {
    copy: "复制",
    copied: "已复制",
    failed: "失败",
    answer: "回答",
    question: "问题",
  },
  actions: {
    showPatches: "显示图块",
    again: "重新提问",
    againWith: "换策略重新提问…",
    compare: "对比",
  },
  answer: {
    name: "回答",
    nameOf: (settings) => `${settings} 的回答`,
    empty: "模型没有输出文字，立即结束了回答。看不清图像或不理解问题时会这样。",
    laneEmpty: "没有文字。",
    laneStopped: "在第一个词元之前停止。",
    words: "逐词：方向键显示每个词关注的图块",
    differs: "不同：",
  },
  stages: {
    waitsForModel: (progress) => `等待模型 · ${progress}`,
    preparing: "正在准备 GPU",
    testing: "正在测试 GPU",
    waitsInVain: "等待模型，但模型无法加载",
    next: "下一个",
    starting: "正在开始",
    answering: (tokens) => `正在回答 · ${tokens} 个词元`,
    vision: "编码图像",
    reading: (done, total) => `读取 ${done}/${total}`,
    read: (total) => `已读取 ${total}`,
    selecting: "选择行",
    freeing: "释放内存",
  },
  verdict: {
    same: (isHidden) => `与${reference(isHidden)}的回答相同。`,
    differs: (isHidden) => `与${reference(isHidden)}的回答不同：`,
    changes: (changes) => `${changes.map(change).join("；")}。`,
    more: (count) => `另有 ${count} 处不同。`,
    pending: "正在与完整缓存比较……",
    missing: {
      cap: "未比较：在此上限下容纳不了完整缓存。",
      memory: "未与完整缓存比较：设备内存不足以容纳两者。",
      stopped: "未与完整缓存比较：已停止。",
      off: "未与完整缓存比较。",
    },
    unsure: (probability, threshold) =>
      `这个回答可能有误：其用词的概率为 ${probability}，而正确的回答大多不低于 ${threshold}。`,
    askToCompare: "重新提问以便比较",
    askToCompareHelp: "在这些设置下，这个问题还没有对完整图像做过预填充。",
  },
  facts: {
    bytesHelp: "回答结束时的 KV 缓存，以及完整缓存的大小",
    memory: (bytes) => `内存 ${bytes}`,
    memoryOf: (bytes, full) => `内存 ${bytes}，完整缓存为 ${full}`,
    parts: (share, rows) => `图像的 ${share} + ${rows} 行文本，每 64 行一块`,
    details: "详细信息",
    blocks:
      "KV 缓存在每一层、每个头中为每个词元保存一行。内存按 64 行一块分配，因此多几行或少几行可能不改变内存。",
    peak: (bytes) => `回答期间的峰值 ${bytes}`,
    reference: {
      fork: (bytes, peak) => `完整缓存从同一次预填充出发回答，占用 ${bytes}；两者合计峰值 ${peak}`,
      prefill: (bytes, peak) =>
        `完整缓存重新读取了整个对话（先前的回答保持不变），占用 ${bytes}；两者合计峰值 ${peak}`,
    },
    perTokenHelp: "回答中各词元的中位数",
    perToken: (time) => `${time}/词元`,
    firstToken: (time) => `首个词元 ${time}`,
    cachedHelp: "回答结束时所有层之和",
    rowsCached: (rows) => `所有层共缓存 ${rows} 行`,
    readHelp: "所有层之和，各词元的平均值",
    read: (rows) => `每个词元读取 ${rows} 行`,
    appended: (rows) => `每层追加 ${rows} 行`,
    prefilled: (rows) => `每层预填充 ${rows} 行`,
    endings: {
      stop: "",
      cancelled: "已停止",
      length: "达到长度上限而结束",
      context: "上下文已满而结束",
      memory: "内存已满而结束",
    },
    without: (rows) => `去掉第 ${rows.join("、")} 行`,
  },
  lanes: {
    legend: "要对比的设置",
    add: "+ 一栏",
    somePinned: "固定的栏会留给下一个问题，其余恢复默认。",
    allPinned: "这些栏会留给下一个问题。",
    policyOf: (lane) => `第 ${lane} 栏的策略`,
    keepOf: (lane) => `第 ${lane} 栏的保留百分比`,
    optionsOf: (lane) => `第 ${lane} 栏的选项`,
    options: "选项",
    ownOptions: "单独选项",
    pin: "固定",
    pinOf: (lane) => `固定第 ${lane} 栏`,
    remove: "移除",
    removeOf: (lane) => `移除第 ${lane} 栏`,
    commonOptions: "恢复为缓存区的选项",
    optionsSource: "与缓存区相同；在此修改只影响这一栏。",
    continues: (settings) => `对话从 ${settings} 继续。`,
    reference: "参照",
    agree: (common, words) => {
      if (common === words) return "回答相同";
      return words === 1 ? "不同" : `${words} 个词中 ${common} 个一致`;
    },
    bytesHelp: (full) => `回答结束时的 KV 缓存；完整缓存为 ${full}`,
  },
};

function change({ answer, reference }: Change): string {
  if (answer === "") return `缺少“${reference}”`;
  if (reference === "") return `多出“${answer}”`;
  return `“${answer}”而不是“${reference}”`;
}

function reference(isHidden: boolean): string {
  return isHidden ? "完整图像" : "完整缓存";
}
