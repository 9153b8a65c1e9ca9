/** Why a conversation's file cannot be read. `at` is the path of a field, such as `exchanges[0].question`. */
export const documentsEn = {
  is: (at: string, wanted: string) => `${at || "the document"} is not ${wanted}`,
  text: "a text",
  shortText: (most: number) => `a text of at most ${most} characters`,
  flag: "true or false",
  number: "a number",
  whole: (most: number) => `a whole number up to ${most}`,
  oneOf: (values: readonly string[]) => values.join(" or "),
  list: "a list",
  shortList: (most: number, length: number) => `a list of at most ${most}: it has ${length}`,
  object: "an object",
  unknownImage: (at: string) => `${at} names an image that is not in it`,
  noAttempts: (at: string) => `${at} has no attempts`,
  noOutcome: (at: string) => `${at} has neither a result nor a failure`,
  lanes: (at: string, lanes: number) => `${at} compares ${lanes} lanes`,
  visualTokens: (at: string, visual: number, prompt: number) =>
    `${at} has ${visual} visual tokens in a prompt of ${prompt}`,
  patches: (at: string, patches: number, visual: number) =>
    `the patches of ${at}.images are ${patches}, and its visualTokens ${visual}`,
  answerCharacters: (at: string, characters: number, tokens: number) =>
    `${at}.answer has ${characters} characters in ${tokens} tokens`,
  answerWords: (at: string, words: number, tokens: number) =>
    `${at}.answer has ${words} words in ${tokens} tokens`,
  characters: (at: string, characters: number) => `${at} has ${characters} characters`,
  layers: (at: string, layers: number) => `${at} are ${layers}`,
  heads: (at: string, heads: number) => `${at} has ${heads} heads`,
  order: (at: string) => `${at} keeps rows that are not ascending positions of a prompt`,
};
