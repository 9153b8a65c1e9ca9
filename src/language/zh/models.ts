import type { Texts } from "../en/en";

export const modelsZh: Texts["models"] = {
  open: "使用其他模型…",
  title: "模型",
  close: "关闭",
  embedded: "keepsight-mini",
  embeddedFacts: "内置模型，阅读合成页面",
  choose: "使用",
  inUse: "使用中",
  remove: "删除",
  removeOf: (id) => `从此浏览器删除 ${id}`,
  chooseOf: (id) => `使用 ${id}`,
  resume: "继续",
  resumeOf: (id) => `继续下载 ${id}`,
  unfinished: (bytes) => `已有 ${bytes}，下载已停止`,
  storedFacts: (bytes, license) =>
    license ? `${bytes}，存于此浏览器 · ${license}` : `${bytes}，存于此浏览器`,
  hub: "来自 Hugging Face Hub 或网址",
  id: "模型",
  idHint: "所有者/名称 或 https://…",
  revision: "版本",
  token: "访问令牌",
  tokenHint: "仅私有或受限模型需要。离开页面后不再保留。",
  more: "版本与访问令牌",
  look: "查询",
  looking: "正在询问 Hub…",
  families:
    "SmolVLM、SmolVLM2、Idefics3、LLaVA、InternVL3、Llama 和 Qwen 直接从其 safetensors 文件运行。" +
    "它们用随机权重测试过，尚未用已发布的权重测试。",
  suggested: "这些系列的模型",
  published:
    "以下开销由已发布的配置算出，没有询问 Hub；“查询”会与 Hub 上的文件核对，并给出许可证。",
  larger: (count) => `还有 ${count} 个更大的模型`,
  lookOf: (id) => `查询 ${id}`,
  foundTitle: (id) => `可以使用 ${id}`,
  family: "系列",
  license: "许可证",
  noLicense: "未说明",
  download: "下载",
  files: (bytes, files) => `${bytes}，${files} 个文件`,
  gpu: "GPU 内存",
  gpuOf: (bytes, format) => `${format} ${bytes}`,
  weights: "GPU 内存中的权重",
  weightsHint: "8 位和 4 位占用更少内存，回答略有不同。本来就是 8 位或 4 位的文件保持不变。",
  cacheType: "GPU 内存中的 KV 缓存",
  cacheTypeHint:
    "8 位约占 16 位的一半内存，4 位不到三分之一；代价是回答可能改变，4 位时更常见。所有策略都可使用。",
  cacheTypeOf: { auto: "16 位（权重为 32 位时 32 位）", f16: "16 位", q8: "8 位", q4: "4 位" },
  weightsOf: { file: "同文件，最多 16 位", q8: "8 位", q4: "4 位" },
  roomIn: {
    fits: (free) => `放得下：剩余 ${free}`,
    tooLarge: (free) => `放不下：剩余 ${free}`,
  },
  deviceHas: {
    fits: (bytes) => `放得下：本机内存 ${bytes}`,
    tooLarge: (bytes) => `放不下：本机内存 ${bytes}`,
    unknown: "浏览器不提供此适配器的内存大小。",
  },
  image: "一张图像",
  imageOf: (tokens, width, height) => `${width} × ${height} 像素时 ${tokens} 个词元`,
  speed: "本机速度",
  speedOf: (time) => `关于一张图像的回答约需 ${time}`,
  tooSlow: (time) => `在此太慢：关于一张图像的回答约需 ${time}`,
  slowAbove: (bytes, seconds, read, multiply) =>
    `f16 权重超过 ${bytes} 的模型在此太慢：对 1,000 个词元的提示回答 50 个词元会超过 ${seconds} 秒。` +
    `在此适配器上测得：每秒读取 ${read}，每秒乘法 ${multiply}。`,
  measuring: "正在测量此适配器…",
  price: "KV 缓存",
  priceOf: (bytes) => `每 1,000 个词元 ${bytes}`,
  context: "上下文",
  contextOf: (tokens) => `${tokens} 个词元`,
  images: "图像",
  reads: "支持",
  textOnly: "不支持，仅文本",
  fetch: "下载并使用",
  stop: "停止",
  progress: (loaded, total) => `${loaded} / ${total}`,
  eachFile: (files) => `${files} 个文件各自的进度`,
  terms: "打开条款页面",
  folder: "来自本机文件夹",
  folderHint:
    "Hub 布局的模型目录：config.json、tokenizer.json、safetensors。也可以把它拖到页面上。",
  chooseFolder: "选择文件夹",
  noModelIn: (folder) => `“${folder}”不是模型文件夹：其中没有 config.json。`,
  fresh: "换用模型会开始新的对话。",
  busy: "请等回答结束。",
  refused: {
    notFound: (id) =>
      /^https?:/.test(id)
        ? `模型地址须以 https:// 开头，且不能过长：${id}。`
        : `Hub 上没有 ${id}，或没有此版本。名称的格式为 owner/name；私有模型需要令牌。`,
    gated: (id) => `请先在 ${id} 的页面上接受条款，并输入您账户的令牌。`,
    incomplete: (id) =>
      `${id} 缺少所需的文件：config.json、tokenizer.json 或 model.safetensors。若已下载，请重新下载。`,
    forbidden: (id) => `此页面的安全策略不允许读取 ${id}。`,
    network: (id) =>
      /^https?:/.test(id)
        ? `无法读取 ${id}：连接中断，或该网站不允许其他网站读取其文件（CORS）。已下载的部分会保留。`
        : `连接中断，或 Hub 未能正确回答关于 ${id} 的请求。已下载的部分会保留。`,
    damaged: (id) => `${id} 的文件在传输中损坏或已更改：大小或 SHA-256 不符。`,
    noSpace: (id) => `此浏览器的存储空间放不下 ${id}。`,
  },
};
