/** Names, summaries and options of the policies, by their English text in the registry. */
export const policiesZh: Readonly<Record<string, string>> = {
  "Full cache": "完整缓存",
  Random: "随机",
  "Evenly spaced": "均匀间隔",
  "Keeps every row; the reference for memory, speed and answers.":
    "保留每一行；内存、速度和回答的参照。",
  "Keeps random rows besides a small recent window; the lower bound for every method.":
    "除最近的小窗口外随机保留；各种方法的下界。",
  "Keeps evenly spaced rows, like a coarser grid of patches.":
    "保留均匀间隔的行，相当于更粗的图块网格。",
  "A few elite tokens of the question rank the image; layers with concentrated attention keep more.":
    "由问题中的少数精英词元给图像排序；注意力集中的层保留更多。",
  "Gives every layer the same share of its attention mass.": "每一层保留相同份额的注意力总量。",
  "Keeps the most attended rows and merges the others into them.":
    "保留最受关注的行，并把其余的行合并进去。",
  "Keeps the rows with most attention so far and the newest ones, per head.":
    "每个头保留迄今受关注最多的行和最新的行。",
  "Keeps the rows with most attention from the last queries, per head.":
    "每个头保留最后几个查询最关注的行。",
  "Keeps the first few rows and the newest ones.": "保留最前面的几行和最新的行。",
  "Keeps the rows that the newest query attends to.": "保留最新查询所关注的行。",
  "SnapKV's ranking with fewer rows in deeper layers.":
    "使用 SnapKV 的排序，较深的层保留更少的行。",
  "Ranks the image once, in an early layer, by the newest query's attention.":
    "在靠前的一层按最新查询的注意力给图像排序一次。",
  "Keeps text first and merges dropped rows into the most similar kept one.":
    "优先保留文字，把丢弃的行合并到最相似的保留行中。",
  "The question ranks the rows; layers with dense attention keep more.":
    "由问题给各行排序；注意力稠密的层保留更多。",
  "Keeps the keys with the smallest norm; needs no attention.": "保留范数最小的键；不需要注意力。",
  "Keeps the keys that are least like the mean key; needs no attention.":
    "保留与平均键最不相似的键；不需要注意力。",
  "The question's most attended tokens rank the image; text is dropped last.":
    "由问题中最受关注的词元给图像排序；文字最后才丢弃。",
  "Combines importance and diversity of keys, weighted by each head's redundancy.":
    "结合键的重要性与多样性，按每个头的冗余度加权。",
  "SnapKV's scores plus the last query's own attention.":
    "SnapKV 的分数加上最后一个查询自身的注意力。",
  "SnapKV's scores, with each layer's rows distributed over its heads.":
    "使用 SnapKV 的分数，并把每一层的行分配给各个头。",
  "Keeps keys and values that differ most from their low-pass filter; needs no attention.":
    "保留与其低通滤波结果差别最大的键和值；不需要注意力。",
  Downsampling: "降采样",
  "Chosen before the prefill: all layers keep the same rows, and all text.":
    "在预填充之前选择：各层保留相同的行和全部文字。",
  "Chosen before the prefill: all layers keep the same rows, and all text. A coarser grid rarely has exactly the retention's share: R × C rows become r × c, r · c ≤ retention · R · C. With `by: encoder`, S × S become s × s, s = ⌊S · √retention⌋, at Idefics3's positions for smaller images; Qwen-VL takes r × c.":
    "在预填充之前选择：各层保留相同的行和全部文字。较粗的网格很少恰好等于保留比例：R × C 行变为 r × c，r · c ≤ 保留比例 · R · C。使用 `by: encoder` 时，S × S 变为 s × s，s = ⌊S · √保留比例⌋，位置与 Idefics3 处理较小图像时相同；Qwen-VL 使用 r × c。",
  "Chosen before the prefill: all layers keep the same rows, and all text. Where rows end lines, those of lines with a kept patch are among the kept, which may be fewer then. Rows merge before the connector where it takes each row by itself (LLaVA), else behind it: where it folds patches, and where rows are interpolated.":
    "在预填充之前选择：各层保留相同的行和全部文字。若有标记行尾的行，则含有保留图块的各行的行尾也计入保留的行，此时保留的行可能更少。连接器逐行处理时（LLaVA），在连接器之前合并；连接器折叠图块或对行插值时，在其之后合并。",
  "Chosen before the prefill: all layers keep the same rows, and all text. Rows that repeat no other stay, whatever the retention.":
    "在预填充之前选择：各层保留相同的行和全部文字。不与其他行重复的行总会保留，不论保留比例。",
  "Averages neighbouring image rows to a coarser grid, before the prefill.":
    "在预填充之前，把相邻的图像行平均成更粗的网格。",
  "Keeps the image rows that differ most from one another, before the prefill.":
    "在预填充之前，保留彼此差别最大的图像行。",
  "Keeps the rows that the vision encoder attends to and merges the rest, before the prefill.":
    "在预填充之前，保留视觉编码器所关注的行，并合并其余的行。",
  "Drops image rows whose pixels repeat those of an earlier row, before the prefill.":
    "在预填充之前，丢弃像素与前面某一行相同的图像行。",

  By: "方式",
  "encoder: encodes a smaller image, where the encoder takes one":
    "encoder：在编码器支持时编码更小的图像",
  "Contextual share": "上下文份额",
  "Share of the kept rows that others merge into": "保留的行中供其余行合并的行所占份额",
  "Recent share": "最近份额",
  "Share of the kept rows that are the newest": "保留的行中最新的行所占份额",
  "Share of a layer's rows that are the newest": "一层的行中最新的行所占份额",
  Rows: "行",
  "perKvHead: every KV head selects its own": "perKvHead：每个 KV 头各自选择",
  "perKvHead: every KV head has its own ranking": "perKvHead：每个 KV 头有自己的排序",
  Protect: "保护",
  "ivc: always keep the tenth of the visual rows with the largest sum of rotary cosines, and the tenth with the largest sum of sines; at most half of the budget":
    "ivc：始终保留旋转余弦之和最大的十分之一视觉行，以及正弦之和最大的十分之一；最多占预算的一半",
  "Even share": "均分份额",
  "Share of the budget that is spread evenly over the layers; the policy's own layer budgets get the rest":
    "在各层间均分的预算份额；其余按策略自己的层预算分配",
  Positions: "位置",
  "original: tokens seen; layer0Length: rows left in layer 0, as the releases of Elastic Cache and PrefixKV count; cacheIndex: place in the cache, as StreamingLLM counts":
    "original：已读的词元数；layer0Length：第 0 层剩余的行数，与 Elastic Cache 和 PrefixKV 的发布代码相同；cacheIndex：在缓存中的位置，与 StreamingLLM 相同",
  α: "α",
  "Elite tokens have at least this share of the strongest attention":
    "精英词元至少达到最强注意力的这一份额",
  Window: "窗口",
  "Which tokens score the rows": "由哪些词元给行打分",
  "Last queries of the prompt that score the rows; at most the text after the image":
    "提示末尾用来给行打分的查询数；最多到图像之后的文字",
  Heads: "头",
  "perKvHead: every KV head has its own elite and its own rows":
    "perKvHead：每个 KV 头有自己的精英词元和自己的行",
  "Layer budgets": "层预算",
  "What determines the rows that a layer keeps": "由什么决定一层保留的行数",
  Rounding: "取整",
  "plain: each layer separately, so that the total is not exact":
    "plain：每层单独取整，因此总数不精确",
  "released: the authors' bisection; config: forget fractions":
    "released：作者的二分搜索；config：遗忘比例",
  "Forget fractions": "遗忘比例",
  "For search=config: one fraction per layer, separated by commas":
    "用于 search=config：每层一个比例，以逗号分隔",
  Sinks: "汇聚点",
  "Oldest rows that are always kept": "始终保留的最早的行数",
  "Eviction place": "逐出位置",
  "Above 0: the slot that is evicted while decoding; otherwise counted from the compressed prompt's end":
    "大于 0：解码时逐出的位置；否则从压缩后提示的末尾算起",
  Selection: "选择",
  "official: the release's argsort, one row less than the target":
    "official：发布代码的 argsort，比目标少一行",
  Scores: "分数",
  "Attention received from all queries: its sum, its mean over the queries that see the row, or its moving average":
    "从所有查询得到的注意力：总和、在能看到该行的查询上的平均，或移动平均",
  "visible: divided by the queries that can see the row": "visible：除以能看到该行的查询数",
  Decay: "衰减",
  "Decay of the moving average per query": "移动平均每个查询的衰减",
  "Dropped rows": "丢弃的行",
  "Merge them into the nearest kept row, or drop them": "合并到最近的保留行，或直接丢弃",
  "How they are merged into kept rows, if at all": "是否以及如何合并到保留的行",
  Recents: "最近的行",
  "Newest rows that are always kept": "始终保留的最新的行数",
  "Short prompt": "短提示",
  "What to do if that place is outside of the cache": "该位置在缓存之外时如何处理",
  Variant: "变体",
  "elasticRepo: the baseline in the Elastic Cache release":
    "elasticRepo：Elastic Cache 发布代码中的基线",
  "local: the baseline in the Elastic Cache release": "local：Elastic Cache 发布代码中的基线",
  "kvpress: that library's rounding and fallback": "kvpress：该库的取整和回退方式",
  "effivlm: EffiVLM-Bench's counts": "effivlm：EffiVLM-Bench 的计数",
  "EffiVLM-Bench's budgets, with windows per layer or fixed":
    "EffiVLM-Bench 的预算，窗口按层设定或固定",
  Kernel: "池化核",
  "Neighbouring rows that are pooled; odd": "池化的相邻行数；奇数",
  Pooling: "池化",
  "How neighbouring scores are pooled": "相邻分数的池化方式",
  Votes: "投票",
  "How the window's queries are aggregated": "窗口内查询的聚合方式",
  Steepness: "陡度",
  "The last layer gets 1/β of the mean": "最后一层得到平均值的 1/β",
  "Layer K": "第 K 层",
  "Layers before it are not compressed; the last of them ranks the rows":
    "它之前的层不压缩，其中最后一层给行排序",
  Budget: "预算",
  "release: the ratio applies to the deeper layers only": "release：比例只用于更深的层",
  Threshold: "阈值",
  "Share of a row's maximum below which attention counts as 0":
    "低于一行最大值的这一份额时，注意力计为 0",
  "release: each layer rounded separately, surplus not redistributed":
    "release：每层单独取整，多余部分不再分配",
  Strength: "强度",
  "Spread of the evidence relative to the scores'": "证据相对于分数的离散程度",
  Neighbourhood: "邻域",
  "Neighbouring rows whose evidence is averaged; odd": "证据取平均的相邻行数；奇数",
  Trace: "追溯",
  "Earlier layers whose evidence counts": "计入证据的较前层数",
  "Best rows": "最佳行",
  "Spreads are taken over this many times the rows to keep": "离散程度取自保留行数的这么多倍",
  Floor: "下限",
  "Share of the mean count that every head keeps at least": "每个头至少保留平均行数的这一份额",
  γ: "γ",
  "Share of the frequencies that the low-pass filter keeps": "低通滤波保留的频率份额",

  "Keeps every row at any retention.": "在任何保留比例下都保留每一行。",
  "Rounds each layer separately, so that the total is not exact.": "每层单独取整，因此总数不精确。",
  "Its total is rescaled and truncated layer by layer, as released.":
    "总数按发布代码逐层缩放并截断。",
  "Keeps the calibrated fraction of every layer.": "每层保留校准得到的比例。",
  "Keeps one row less than its target, as released.": "与发布代码相同，比目标少保留一行。",
  "One ranking for all layers, one row less than its target, as released.":
    "与发布代码相同，所有层共用一个排序，比目标少一行。",
  "Drops int(N - N ρ) rows in every layer, as released.":
    "与发布代码相同，每层丢弃 int(N - N ρ) 行。",
  "Rounds each layer separately, as kvpress does.": "与 kvpress 相同，每层单独取整。",
  "The first layers are not compressed and not counted in the budget.":
    "最前面的层不压缩，也不计入预算。",
  "Heavy and recent rows are truncated apart, as in EffiVLM-Bench.":
    "与 EffiVLM-Bench 相同，重要的行和最近的行分别截断。",
  "Clipped shares plus a window, as in EffiVLM-Bench.":
    "与 EffiVLM-Bench 相同，截断的份额加一个窗口。",
  "Each layer's share is rounded separately, as released.": "与发布代码相同，每层的份额单独取整。",
};
