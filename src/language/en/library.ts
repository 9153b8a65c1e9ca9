/** Notices about stored conversations, and failures. */
export const libraryEn = {
  emptyTitle: "Empty conversation",
  copyTitle: (title: string) => `${title} (copy)`,
  editedTitle: (title: string) => `${title} (before edit)`,
  damaged: "it is damaged",
  unshown: (title: string, reason: string) =>
    `“${title}” cannot be shown: ${reason}. It stays under History.`,
  copied: (title: string) =>
    `“${title}” is open in another tab. This is a copy: what you ask here is stored by itself.`,
  undrawn: (title: string) =>
    `“${title}” did not finish drawing at the last visit and was not opened. It stays under History.`,
  tooLarge: (file: string, size: string, most: string) =>
    `“${file}” has ${size}; ${most} are the limit.`,
  notStored: "This browser does not store conversations.",
  silent:
    "This browser’s storage does not answer. The page goes on without it: what you ask ends with the page.",
  full: "This browser's storage is full: the last change was not stored; delete conversations to free space.",
  lastNotStored: "The last change could not be stored in this browser; it ends with the page.",
  noConversation: (file: string, reason: string) =>
    `“${file}” is not a conversation of Keepsight: ${reason}.`,
  noJson: "it is not JSON",
  imageNoData: "An image of this conversation is no data URL.",
  imageDamaged: "An image of this conversation is damaged.",
  failed: "It failed.",
  left: "The page was left before this answer ended.",
};
