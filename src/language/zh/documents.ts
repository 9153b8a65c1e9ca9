import type { Texts } from "../en/en";

export const documentsZh: Texts["documents"] = {
  is: (at, wanted) => `${at || "该文档"} 不是${wanted}`,
  text: "文本",
  shortText: (most) => `最多 ${most} 个字符的文本`,
  flag: " true 或 false",
  number: "数字",
  whole: (most) => `不大于 ${most} 的非负整数`,
  oneOf: (values) => ` ${values.join(" 或 ")}`,
  list: "列表",
  shortList: (most, length) => `最多 ${most} 项的列表：它有 ${length} 项`,
  object: "对象",
  unknownImage: (at) => `${at} 指向文件中没有的图像`,
  noAttempts: (at) => `${at} 没有任何回答`,
  noOutcome: (at) => `${at} 既没有结果也没有失败信息`,
  lanes: (at, lanes) => `${at} 对比了 ${lanes} 栏`,
  visualTokens: (at, visual, prompt) => `${at} 有 ${visual} 个视觉词元，而提示只有 ${prompt} 个`,
  patches: (at, patches, visual) =>
    `${at}.images 有 ${patches} 个图块，而 visualTokens 是 ${visual}`,
  answerCharacters: (at, characters, tokens) =>
    `${at}.answer 的 ${tokens} 个词元有 ${characters} 个字符`,
  answerWords: (at, words, tokens) => `${at}.answer 的 ${tokens} 个词元有 ${words} 个词`,
  characters: (at, characters) => `${at} 有 ${characters} 个字符`,
  layers: (at, layers) => `${at} 有 ${layers} 层`,
  heads: (at, heads) => `${at} 有 ${heads} 个头`,
  order: (at) => `${at} 保留的行不是提示中递增的位置`,
};
