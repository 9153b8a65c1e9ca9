import type { Texts } from "../en/en";

const WORLDS: Readonly<Record<string, string>> = {
  receipt: "收据",
  chart: "图表",
  card: "证件",
  shapes: "个形状",
  words: "行文本",
};

/** `Receipt, Lucky Kiosk` or `4 shapes`: what is printed on a page stays as it is. */
function sampleTitle(world = "", title: string): string {
  const kind = WORLDS[world];
  const [, name] = /^\w+, (.+)$/.exec(title) ?? [];
  const count = Number.parseInt(title, 10);
  if (!kind) return title;
  if (name) return `${kind}：${name}`;
  return Number.isNaN(count) ? kind : `${count} ${kind}`;
}

/** What the embedded model is for, in Chinese; other models' cards are shown as they are. */
const PURPOSES: Readonly<Record<string, string>> = {
  "This model reads printed pages in English, one image in a conversation: receipts, bar charts, cards, shapes and words. Its answers about anything else, such as photographs, tables or handwriting, mean nothing.":
    "此模型阅读印刷的英文页面，每个对话一张图像：收据、条形图、卡片、图形和单词。它对其他内容（如照片、表格或手写）的回答没有意义。",
};

export const viewerZh: Texts["viewer"] = {
  name: "查看区",
  larger: "放大图像",
  smaller: "缩小图像",
  overlay: { name: "叠加层", kept: "保留", heat: "热度", off: "关闭" },
  purpose: (sentence) => PURPOSES[sentence] ?? `关于此模型：${sentence}`,
  caption: {
    ask: "提问后可看到每一层保留了哪些图块",
    keptAll: (layers, kept, all, isPreview) => [
      `${layers} 层平均${isPreview ? "将保留" : "保留"} `,
      kept,
      " / ",
      all,
      " 个图块",
    ],
    kept: (layer, kept, all, isPreview) => [
      `第 ${layer} 层${isPreview ? "将保留" : "保留"} `,
      kept,
      " / ",
      all,
      " 个图块",
    ],
    unscored: (policy) => `${policy} 不用分数给图块排序`,
    scoresPending: "回答结束后显示分数",
    scoresMissing: "这个回答没有记录分数；请重新提问",
    ranked: (policy, layers, places) => [`${policy} 在`, layers, `中得分最高的位置：${places}`],
    noneHigher: "没有得分更高的图块",
    wordUnseen: (word) => ["没有记录到", word, "的步骤，或它没有关注任何图块"],
    word: (word, layers, places) => ["注意力不等于证据：", word, `在${layers}中最关注${places}`],
    noPatch: "不在这张图像中的位置",
    missed: (word, places) => `。这里已丢弃，但完整缓存的“${word}”关注过：${places}`,
    allLayers: "所有层",
    layer: (layer) => `第 ${layer} 层`,
    places: (places) => places.join("；"),
  },
  legend: {
    low: "低",
    high: "高",
    dropped: "已丢弃",
    droppedHelp: "阴影线：所示的层大多丢弃了该图块。丢弃它的层越多，着色越深。",
    keptMost: "已保留",
    keptMostHelp: "描边：所示的层中至少一半保留了该图块。",
    less: "少",
    more: "多",
    sink: "注意力汇聚点",
    missed: "已丢弃；完整缓存关注过",
  },
  layers: {
    name: "层",
    all: "所有层",
    allMark: "全部",
    layer: (layer) => `第 ${layer} 层`,
    kept: (layer, kept, all, common) =>
      `第 ${layer} 层：保留 ${all} 个图块中的 ${kept} 个，其中 ${common} 个至少有一半的层也保留`,
  },
  patch: {
    reader: "图块读取",
    how: "图像的图块。方向键在图块间移动。",
    howPin: "图像的图块。方向键在图块间移动，回车键固定图块。",
    row: (row) => `第 ${row} 行`,
    droppedByAll: "所有层都已丢弃",
    keptByAll: "所有层都保留",
    keptBy: (ranges) => `保留它的层：${ranges}`,
    rank: (place, of) => `${of} 个中的第 ${place} 名`,
    byScore: (rank) => `按分数为 ${rank}`,
    score: (score, rank) => `分数 ${score}，${rank}`,
    sink: "注意力汇聚点",
    place: (line, column) => `第 ${line} 行第 ${column} 列`,
    ofTile: (place, tile) => `第 ${tile} 个切片的${place}`,
    hide: (count) => (count === 1 ? "隐藏此图块并重新提问" : `隐藏 ${count} 个图块并重新提问`),
    unpin: "取消固定",
  },
  gallery: {
    name: "示例图像",
    own: (title) => `您的图像：${title}`,
    sample(world, { title: english }) {
      const title = sampleTitle(world, english);
      return { title, alt: title };
    },
    addOwn: "添加自己的图像",
    file: "图像文件",
    how: "拖入、粘贴或选择图像。数据不会离开此设备。",
    images: "此对话的图像",
    image: (place, count, title) => `第 ${place} 张，共 ${count} 张：${title}`,
  },
  add: {
    files: "文件…",
    camera: "相机…",
    address: "网址…",
    input: "要添加的图像",
    fetching: (host) => `正在从 ${host} 获取`,
    fetched: (loaded, total) => (total === undefined ? loaded : `${loaded} / ${total}`),
    fetchedBar: "图像获取进度",
    stop: "停止",
    close: "关闭",
  },
  fromAddress: {
    title: "来自网址的图像",
    field: "图像的网址",
    help:
      "此浏览器向该网站请求图像。并非所有网站都允许其他页面读取其图像；" +
      "遇到这种情况，请先下载图像，再拖到这里。",
    fetch: "获取图像",
  },
  video: {
    title: "视频的帧",
    count: "帧数",
    help: "等间隔的帧成为带时间的图像。视频只留在此设备上。",
    reading: "正在读取帧…",
    add: "添加帧",
    frameTitle: (title, time) => `${title}，${time}`,
    unreadable: (file) => `此浏览器无法将 ${file} 解码为视频。`,
  },
  camera: {
    title: "相机",
    takeFrames: (frames) => `每秒一帧，拍摄 ${frames} 帧`,
    taking: (taken, frames) => `已拍摄 ${taken} / ${frames} 帧`,
    framesTitle: (time) => `${time} 起的相机画面`,
    live: "相机的实时画面",
    stays: "图像只留在此设备上。",
    take: "拍摄",
    imageTitle: (time) => `相机，${time}`,
    denied: "相机访问被拒绝。请在浏览器设置中允许此页面使用相机，或选择文件。",
    absent: "这里没有相机。请选择文件。",
    busy: "相机无法启动，可能正被其他程序使用。请关闭该程序，或选择文件。",
  },
  read: {
    named: (title) => `“${title}”`,
    unnamed: "此文件",
    damaged: (file) => `${file}已损坏：此浏览器无法解码。`,
    unreadable: (file) => `无法读取${file}。`,
    storedAgain: (file, size) => `${file}已以 ${size} 重新保存。`,
    scaled: (file, from, to) => `${file}已从 ${from} 缩放到 ${to} 像素。`,
    tooLarge: (file, size, most) => `${file}有 ${size}，上限是 ${most}。`,
    sampleUnread: (title) => `无法读取示例“${title}”。`,
    sampleUnknown: (id) => `没有名为“${id}”的示例。`,
    page: (title, page, pages) => `${title}，第 ${page} 页，共 ${pages} 页`,
    noAddress: (address) => `“${address}”不是网址；网址以 https:// 开头。`,
    moreUnread: (count) => `另有 ${count} 个也无法读取。`,
    tooMany: (count, room, { context, isAdded }) => {
      const them = count === 1 ? "这张图像放不下" : `这 ${count} 张图像放不下`;
      const limit = context ? `模型 ${context} 个词元的上下文` : "这里的一个对话";
      if (room === 0) return `${them}：${limit}已没有空间容纳更多图像。`;
      return `${them}：${limit}${isAdded ? "还能" : "能"}容纳 ${room} 张。`;
    },
  },
  fetch: {
    thisPage: "此页面",
    unreachable: (host) =>
      `无法连接 ${host}，或它不允许其他页面读取其图像。请下载图像，再拖到这里。`,
    ended: (host) => `${host} 在图像传完之前中断。请重试，或下载图像后拖到这里。`,
    notThere: (host, status) => `${host} 在此网址没有内容（${status}）。请检查网址。`,
    refused: (host, status) => `${host} 以状态 ${status} 拒绝。请下载图像，再拖到这里。`,
    noImage: (type) => `此网址指向 ${type}，不是图像。请复制图像本身的网址。`,
    tooLarge: (host, most) => `${host} 上的图像大于 ${most}。请下载并缩小后拖到这里。`,
    holdsNone: "此网址中没有图像。",
    forbidden: (host) => `此页面的安全策略不允许从 ${host} 读取。请下载图像，再拖到这里。`,
    image: "图像",
  },
};
