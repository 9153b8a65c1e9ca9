import type { Texts } from "../en/en";

/** The page's own sentences are Chinese already; an English one of the engine follows as the detail. */
const told = (sentence: string) => (message: string) => {
  if (/\p{Script=Han}/u.test(message)) return message;
  return message === "" ? `${sentence}。` : `${sentence}。详情：${message}`;
};

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
    cancelled: (message) =>
      message === "" ? "在第一个 token 之前停止。" : told("已停止")(message),
    noModel: told("模型尚未加载"),
    internal: (message) => `引擎内部错误：${message}`,
  },
  raiseCap: (megabytes) => `把上限提高到 ${megabytes} MB`,
  actions: {
    retry: "重试",
    keepLess: "减少保留",
    chooseImage: "选择其他图像",
    reload: "重新加载模型",
    newConversation: "开始新对话",
  },
  insecure:
    "此地址不安全，而模型计算所用的 WebGPU 需要 https 或 localhost。" +
    "请通过 https 打开页面，或在提供页面的机器上以 http://localhost 打开。",
  lostOften: "图形设备在一分钟内多次丢失。",
};
