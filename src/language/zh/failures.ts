import type { FailureReason } from "@/protocol/reason";
import { formatBytes } from "@/text/format";
import type { Texts } from "../en/en";

/** The page's own sentences are Chinese already; the engine's are English. */
const told = (sentence: string) => (message: string) =>
  /\p{Script=Han}/u.test(message) ? message : `${sentence}。`;

type Reasons = {
  readonly [K in FailureReason["kind"]]: (
    reason: Extract<FailureReason, { readonly kind: K }>,
    file: string,
  ) => string;
};

const REASONS: Reasons = {
  emptyFile: (_, file) => `${file}是空的。`,
  noImage: (_, file) => `${file}不是此处可读的图像（PNG、JPEG、GIF、WebP、AVIF 或 BMP）。`,
  heic: (_, file) => `${file}是 HEIC 图像，浏览器无法读取。请另存为 JPEG 或 PNG。`,
  damaged: (_, file) => `${file}已损坏：此浏览器无法解码。`,
  imageMemory: () => "浏览器没有足够的内存处理此图像。",
  truncated: ({ format }, file) => `${file}不完整（${format}）。`,
  noPixels: ({ format }, file) => `${file}没有像素（${format}）。`,
  megapixels: ({ width, height, most }, file) => {
    const megapixels = Math.round((width * height) / 1e6);
    return `${file}有 ${megapixels} 百万像素（${width} × ${height}），上限为 ${most} 百万。`;
  },
  tooLong: ({ most }) => `此模型接受的图像，长边最多为短边的 ${most} 倍。`,
  noAdapter: () => "此浏览器有 WebGPU，但没有可用的图形适配器。页面的其他功能仍可使用。",
  wrongResults: () => "此图形适配器的计算结果有误，模型无法在其上运行。页面的其他功能仍可使用。",
  limit: ({ name, had, needed }) => `此图形适配器不足：${name} 为 ${had}，需要 ${needed}。`,
  cap: ({ capMb, neededMb }) => `${capMb} MB 的上限对此问题过小：需要 ${neededMb} MB。`,
  cacheMemory: ({ freeMb, neededMb }) =>
    `GPU 内存不足以回答此问题：缓存需要 ${neededMb} MB，可用 ${freeMb} MB。`,
  memory: (bytes) => `GPU 内存不足${neededWords(bytes)}。保留得更少，所需内存也更少。`,
  modelMemory: (bytes) => `GPU 内存不足以加载此模型${neededWords(bytes)}。`,
  lane: ({ neededMb, roomMb }) =>
    `此栏与其他栏一起放不下：需要 ${neededMb} MB，可用 ${roomMb} MB。`,
  context: ({ tokens, most }) => `对话过长：${tokens} 个词元，而模型的上下文为 ${most}。`,
  textOnly: () => "此模型只能读文本。",
};

function neededWords({ needed, free }: { readonly needed?: number; readonly free?: number }) {
  if (needed === undefined) return "";
  const rest = free === undefined ? "" : `，可用 ${formatBytes(free)}`;
  return `：需要 ${formatBytes(needed)}${rest}`;
}

export const failuresZh: Texts["failures"] = {
  sentences: {
    noWebGpu: () =>
      "模型需要 WebGPU，而此浏览器没有。当前的 Chrome 和 Edge 支持，Safari 26 以及 Windows 和 macOS 上的 " +
      "Firefox 也支持。页面的其他功能仍可使用。",
    missingLimit: told("此设备的 WebGPU 限制不足"),
    unknownArchitecture: told("不支持此模型的架构"),
    missingFile: told("缺少模型文件"),
    badModel: told("模型文件无效"),
    badImage: told("无法读取图像"),
    imageTooLarge: told("图像过大"),
    badRequest: told("请求无效"),
    contextOverflow: told("问题与图像超出模型的上下文"),
    outOfMemory: told("内存不足"),
    capTooSmall: told("缓存上限过小"),
    deviceLost: told("图形设备已丢失"),
    busy: told("引擎正忙"),
    cancelled: (message) => (message === "" ? "在第一个词元之前停止。" : told("已停止")(message)),
    noModel: told("模型尚未加载"),
    internal: told("引擎内部错误"),
  },
  reason(reason, file = "图像文件") {
    const say = REASONS[reason.kind] as (reason: FailureReason, file: string) => string;
    return say(reason, file);
  },
  original: "原文（英文）",
  raiseCap: (megabytes) => `把上限提高到 ${megabytes} MB`,
  keepLessOfEarlier: "减少较早图像的保留",
  actions: {
    retry: "重试",
    keepLess: "减少保留",
    chooseImage: "选择其他图像",
    reload: "重新加载模型",
    newConversation: "开始新对话",
    smallerWeights: "用更小的权重加载",
  },
  insecure:
    "此地址不安全，而模型计算所用的 WebGPU 需要 https 或 localhost。" +
    "请通过 https 打开页面，或在提供页面的机器上以 http://localhost 打开。",
  lostOften: "图形设备在一分钟内多次丢失。",
};
