import type { Texts } from "../en/en";

export const aboutZh: Texts["about"] = {
  what: "这里显示什么",
  whatText: (visualTokens) => [
    "视觉语言模型把一张图像变成数百个",
    visualTokens("视觉 token"),
    "。每个视觉 token 在每一层的缓存中存储一个键和一个值，而回答的每个 token 都要读取它们全部。" +
      "此页面上的方法只保留其中一部分行，并释放其余的行：缓冲区变小，注意力只计算更少的行。" +
      "所有数据都留在此设备上。",
  ],
  journey: "提示如何变成行",
  methods: "三种方法如何选择",
  release: "发布代码",
  code: "代码",
  here: "此处",
  every: "所有策略",
  options: "选项",
  accuracy: {
    title: "测量结果",
    how: (questions, pages, full) =>
      `内置模型就 ${pages} 张未参与训练的页面回答了 ${questions} 个问题，每种方法和每个保留比例各一次，` +
      `均从同一次预填充开始。使用完整缓存时，${full} 的回答正确。`,
    kept: "图像保留比例",
    reading:
      "小于约 5 个百分点的差异可能是偶然的。这些方法是为大一百倍的模型发表的，在那些模型上的顺序可能不同。",
  },
  numbers: "数字的含义",
  licences: "此页面及其所含组件的许可证",
  latest: (settings) => `每项旁边的数值来自您的最后一个回答，设置为 ${settings}。`,
  chat: "对话",
  askFirst: (chat) => [
    "请在",
    chat,
    "页面提问，即可在此看到它的行：图像之前的文字、每个视觉 token 一行，以及问题的词。",
  ],
  cut: (rows, columns, tiles, tokens) => [
    `图像被切成 ${rows} × ${columns} 个图块${tiles > 1 ? `（共 ${tiles} 块切片）` : ""}；` +
      "视觉编码器把每个图块变成一个视觉 token：",
    tokens,
    "。",
  ],
  prompt: ({ before, after, total, layers, rows }) => [
    "加上之前的 ",
    before,
    " 个和之后的 ",
    after,
    " 个 token，提示共有 ",
    total,
    ` 个 token，并在 ${layers} 层的每一层中占同样多的行：`,
    rows,
    "。",
  ],
  choose: (kept) => [
    "预填充时记录注意力。策略把它变成每层的行列表，共保留 ",
    kept,
    " 行。保留某个图块的层越多，该图块就越清晰。",
  ],
  compact:
    "内核压紧保留的行，并裁剪缓冲区。保留的行仍使用它在提示中的位置；下一个 token 使用下一个位置。",
  askWith: (policy, chat) => [
    `请在`,
    chat,
    `页面用 ${policy} 提问，即可在此看到它在每一层保留了什么。`,
  ],
  asked: (settings, question) => `${settings}，“${question}”`,
  layersOf: (caption) => `各层：${caption}`,
  layer: "层",
  measures: { kept: "保留的行", share: "占其行数", strength: "强度", skewness: "偏度" },
  seeds: {
    aircache: {
      idea:
        "由问题的 token 给视觉 token 打分，但只用最后一个 token 最关注的那些 token，即精英 token。" +
        "分数高且集中的层保留更多行。",
      formula: [
        "E = { j : a[末, j] ≥ α · max a[末, ·] }   a：只在问题的 token 之间的 A，α = 0.9",
        "I[v] = E 中各 q 的 A[q, v] 的平均   在视觉行 V 与 E 上重新归一化",
        "第 l 层的份额 = ½（强度[l] + 偏度[l]）· 保留比例   强度 = Σ I[v]，偏度为 I 的偏度",
        "保留全部文字和 I[v] 最大的视觉行；丢弃其余的行，不合并",
      ],
      release: "没有发布代码；论文没有说明如何合并各头、如何缩放两个量、以及如何取整行数。",
      here: "对各头取平均；两个量都缩放到平均值为 1，负偏度设为 0；行数取整后各层总和恰好等于预算。",
    },
    prefixkv: {
      idea:
        "每一层保留相同份额的注意力，而不是相同数量的行：注意力分散的层保留很多行，" +
        "只关注少数 token 的层保留很少。",
      formula: [
        "I[l, j] = 所有查询 q 的 A[l, q, j] 之和",
        "C[l] = I[l] / Σ I[l] 按降序的累积和",
        "第 l 层的行数 = 使 C[l][i] ≥ p 的第一个 i   所有层共用一个 p，由搜索得到",
        "保留第一行、最新一行，以及 I[l, j] 最大的行",
        "解码时，只要某层持有的行超过其份额，就逐出固定位置的一行",
      ],
      release:
        "发布的搜索在所有层合计相差五行以内时停止，再缩放并截断结果；若行数跳过目标，搜索不会终止。" +
        "其表格使用离线平均的比例。下一个 token 的位置是第 0 层的长度。",
      here:
        "精确求出满足预算的 p。层预算“released”运行作者的搜索，“config”使用在示例页上平均的比例，" +
        "位置“layer0Length”按作者的方式计数。",
    },
    elastic: {
      idea: "被丢弃的行会被合并：最重要的行是锚点，其余每一行都平均到最近的锚点中。",
      formula: [
        "I[l, j] = 所有查询 q 的 A[l, q, j] 之和",
        "保留第一行、最新一行和锚点：I[l] 最大的行，每层数量相同",
        "锚点的 K、V = 其所属一组行的平均   各组在两个锚点的中点处分开",
        "解码时，逐出压缩后提示末尾之前第 25 行，以维持比例",
      ],
      release:
        "发布的选择把 argsort 的输出与名次相比较，而那并不是分数的名次；其逐出的索引缺少首行的偏移，" +
        "并且比目标少保留一行。下一个 token 的位置是第 0 层的长度。",
      here: "默认按论文选择；“official”照搬发布代码，包括其缺陷；位置“layer0Length”按其方式计数。",
    },
  },
  meanings: {
    kvCache: {
      name: "KV 缓存",
      meaning:
        "引擎实际分配的、存放键和值的 GPU 缓冲区的大小。浏览器不报告内存用量，" +
        "因此页面统计创建和释放的缓冲区。",
    },
    full: {
      name: "完整",
      meaning:
        "如果不丢弃任何行，缓存所需的大小：目前的全部行，向上取整到 64 行，乘以每行的字节数。",
    },
    peak: {
      name: "峰值",
      meaning:
        "本轮中的最大值。必须先预填充整个提示才能丢弃行；裁剪逐层替换，因此峰值比完整大小多一层。" +
        "对比的各栏共用一次预填充，其峰值在第一次分叉前就已规划。",
    },
    keep: {
      name: "保留",
      meaning: "所有层中候选行被保留的比例。范围为视觉 token 时，所有文字行都保留。",
    },
    time: {
      name: "每个 token 的时间",
      meaning:
        "从一个 token 到下一个 token 的时间中位数，按引擎工作线程的时钟，从第二个 token 起。" +
        "软件适配器计算正确，但其时间不具代表性。",
    },
    firstToken: {
      name: "首个 token",
      meaning:
        "从提问到第一个 token：视觉、预填充、评分和压缩。对比时包括各栏共用的工作和该栏自己的工作。",
    },
    held: { name: "持有的行", meaning: "回答结束时缓存在所有层中持有的行。" },
    read: { name: "读取的行", meaning: "一个 token 的注意力在所有层中平均读取的行。" },
    agreement: {
      name: "一致",
      meaning:
        "回答与完整缓存的回答按相同顺序共有的词数，除以较长回答的词数。" +
        "它说明回答是否改变，而不是是否正确。",
    },
    speed: {
      name: "速度",
      meaning:
        "一个 token 要读取模型的权重和缓存。对于一页图像，内置模型的权重大于其缓存，" +
        "因此丢弃行可释放内存，但几乎不节省时间。",
    },
  },
};
