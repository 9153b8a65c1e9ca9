"""Questions as people type them: small letters, missing marks, words around them, slips."""

OPENINGS = (
    "please tell me", "can you tell me", "could you tell me", "I want to know", "I'd like to know",
    "do you know", "tell me", "would you tell me", "can you say", "please say", "I need to know",
    "any idea", "let me know", "show me", "help me:", "I wonder", "would you mind telling me",
    "you know", "explain", "please",
)  # fmt: skip
GREETINGS = (
    "hi,", "hey,", "hello,", "ok,", "so,", "and", "well,", "um,", "now,", "quick question:",
    "next:", "question:", "hi there,", "good morning,", "thanks, and", "also,",
)  # fmt: skip
ENDINGS = (
    "please", "pls", "thanks", "thank you", "for me", "here", "exactly", "in the picture",
    "in this image", "on this page", "then", "if you can", "again", "would you", "can you see",
    "on it", "please and thank you", "do you think", "actually", "in total", "now",
)  # fmt: skip
# One of these is tried; where its first part does not occur nothing changes.
SWAPS = (
    ("What is", "What's"), ("What is", "whats"), ("what is", "what's"), ("Which", "What"),
    ("which", "what"), ("color", "colour"), ("How many", "how many"), ("Where is", "Where's"),
    ("Who is", "Who's"), ("Does it", "does this"), ("How much is", "How much does it say for"),
    ("there are", "we have"), ("is the", "would be the"), ("the ", "that "), ("you", "u"),
    ("are", "r"),
)  # fmt: skip


def careless(question: str, draw) -> str:
    """The question with at most one of each kind of carelessness."""
    if draw.random() < 0.25:
        old, new = draw.choice(SWAPS)
        question = question.replace(old, new, 1)
    question = with_opening(question, draw)
    question = with_ending(question, draw)
    kind = draw.random()
    if kind < 0.15:
        question = question[:1].lower() + question[1:]
    elif kind < 0.32:
        question = question.lower()
    if draw.random() < 0.25:
        question = question.rstrip("?.")
    return mistyped(question, draw) if draw.random() < 0.07 else question


def with_opening(question: str, draw) -> str:
    # A capital stays in front of another capital or a digit: it is a name or a number.
    is_word = question[1:2].islower() or question[1:2] in " '"
    continued = question[0].lower() + question[1:] if is_word else question
    if draw.random() < 0.22:
        question = f"{draw.choice(OPENINGS)} {continued}"
        return question[0].upper() + question[1:] if draw.random() < 0.7 else question
    if draw.random() < 0.08:
        return f"{draw.choice(GREETINGS)} {continued}"
    return question


def with_ending(question: str, draw) -> str:
    if draw.random() >= 0.18:
        return question
    mark = question[-1] if question[-1] in "?." else ""
    comma = "," if draw.random() < 0.3 else ""
    return f"{question.rstrip('?.')}{comma} {draw.choice(ENDINGS)}{mark}"


def mistyped(question: str, draw) -> str:
    """One slip in a lower-case word: two letters swapped, one left out, or one doubled."""
    words = question.split(" ")
    places = [i for i, w in enumerate(words) if len(w) >= 4 and w.isalpha() and w.islower()]
    if not places:
        return question
    at = draw.choice(places)
    word, i = words[at], draw.randrange(1, len(words[at]) - 1)
    kind = draw.random()
    if kind < 0.4:
        word = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    elif kind < 0.7:
        word = word[:i] + word[i + 1 :]
    else:
        word = word[:i] + word[i] + word[i:]
    words[at] = word
    return " ".join(words)
