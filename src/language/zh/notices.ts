import type { Texts } from "../en/en";

const KERNELS: Readonly<Record<string, string>> = {
  reduction: "归约内核",
  matmul: "矩阵内核",
  flash: "注意力内核",
};

export const noticesZh: Texts["notices"] = {
  scaledDown: ({ width, height, ownWidth, ownHeight }) =>
    `模型看到的图像为 ${width} × ${height} 像素，而非 ${ownWidth} × ${ownHeight}：此处放不下更大的。`,
  blankImage: () => "图像是空白的：其中没有模型可以读取的内容。",
  unfamiliarImage: () => "图像与训练该模型所用的页面不同：这个回答可能有误。",
  firstFrame: () => "图像是动画：使用了第一帧。",
  fewerQueries: ({ asked, used }) => `在 ${asked} 行中，只记录了最后 ${used} 行的注意力。`,
  shorterWindow: ({ asked, used }) => `${asked} 个查询的窗口比文本长：使用最后 ${used} 个。`,
  rowsAveraged: () => "视觉编码器不接受更小的图像：改为对相邻的图像行取平均。",
  windowOnly: ({ rows }) => `窗口本身超过 ${rows} 行：保留其中最新的行。`,
  fewerProtected: ({ asked, rows }) =>
    `${asked} 个受保护的行超出每层 ${rows} 行的预算：先保留汇聚点，再保留最新的行。`,
  fewerAnchors: ({ asked, used }) => `按位置应保护 ${asked} 行；预算的一半只允许 ${used} 行。`,
  earlierDropped: ({ megabytes }) => `为不超过 ${megabytes} MB，丢弃了较早的行。`,
  imageDropped: ({ megabytes }) => `回答变长时，为不超过 ${megabytes} MB，丢弃了图像的一些行。`,
  earlierReduced: ({ percent }) => `较早图像的行还剩 ${percent} %。`,
  earlierImagesDropped: () => "为腾出空间，丢弃了较早图像的行。",
  pieces: ({ rows }) => `提示未压缩时放不下：每次读入 ${rows} 行，其间进行压缩。`,
  decodedTogether: ({ lanes }) => `${lanes} 个回答同时生成：每个词元的时间是所有回答走一步的时间。`,
  encoderRange: ({ most }) => `视觉编码器的数值达到 ${most}，离 16 位的上限太近：改用 32 位计算。`,
  wrongKernels: ({ kind, variant }) =>
    `${KERNELS[kind] ?? kind}（${variant}）在此适配器上计算有误，未被使用。`,
};
