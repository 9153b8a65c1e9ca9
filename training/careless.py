"""Questions as people type them: small letters, missing marks, words around them, slips."""

import re

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

# As people write on telephones, in a second language, or by ear. Only whole words in small letters
# are spelled so.
SPELLINGS = {
    "what": ("wat", "wht", "wut", "waht", "whta"), "what's": ("whats", "wats", "what s", "wat's"),
    "which": ("wich", "whitch", "wch", "whcih"), "where": ("wher", "were", "whre"),
    "who": ("whos", "woh"), "who's": ("whos",), "where's": ("wheres",), "when": ("wen", "whne"),
    "how": ("hw", "hwo"), "how much": ("howmuch", "how mutch", "hom much", "how mch"),
    "how many": ("howmany", "how meny", "how may", "how mny", "hmany"), "the": ("teh", "th", "da"),
    "does": ("dose", "dos", "duz"), "is": ("iz", "si"), "are": ("r", "ar"), "you": ("u", "ya"),
    "your": ("ur", "youre"), "please": ("pls", "plz", "pleas", "plese"), "thanks": ("thx", "tnx"),
    "thank you": ("thankyou", "thank u", "ty"), "give me": ("gimme", "giv me", "gimmie"),
    "let me": ("lemme", "letme"), "tell me": ("tel me", "tellme", "telme"), "and": ("n", "adn"),
    "want to": ("wanna",), "going to": ("gonna",), "got to": ("gotta",), "kind of": ("kinda",),
    "out of": ("outta",), "do not": ("dont",), "don't": ("dont", "do'nt"), "can't": ("cant",),
    "couldn't": ("couldnt",), "doesn't": ("doesnt", "dosent"), "isn't": ("isnt",), "i'm": ("im",),
    "i'd": ("id",), "i've": ("ive",), "it's": ("its",), "that's": ("thats",), "let's": ("lets",),
    "there": ("ther", "their", "theres"), "their": ("there", "thier"), "this": ("dis", "ths"),
    "because": ("cuz", "bc"), "with": ("w/", "wiht", "wit"), "without": ("w/o",), "about": ("abt",),
    "number": ("nr", "numer", "nubmer", "no."), "receipt": ("reciept", "recipt", "receit"),
    "color": ("colur", "collor", "colr"), "colour": ("coler", "coulor"), "picture": ("pic",),
    "image": ("img", "imege"), "photo": ("foto",), "phone": ("fone",), "text": ("txt", "tekst"),
    "written": ("writen", "wrote", "writed"), "bought": ("bougt", "buyed", "bougth"),
    "expensive": ("expencive", "expensiv"), "cheapest": ("cheepest", "chepest"),
    "highest": ("higest", "hightest", "heighest"), "lowest": ("lowerst", "lowst"),
    "tallest": ("talest",), "biggest": ("bigest",), "total": ("totel", "toal"), "title": ("titel",),
    "people": ("ppl",), "between": ("btwn",), "something": ("smth",), "okay": ("k",),
    "square": ("sqare", "squere"), "triangle": ("triangel",), "circle": ("cirkle", "circel"),
    "first": ("frist", "1st"), "second": ("secnd", "2nd"), "line": ("lin", "lien"),
    "column": ("colum",), "heading": ("headding",), "business": ("buisness",),
    "price": ("prize", "prise"), "address": ("adress",), "purchase": ("purchace",),
    "tomorrow": ("tmrw",), "to know": ("2 know",), "before": ("b4",), "for me": ("4 me",),
}  # fmt: skip
SPELLED = re.compile(
    rf"(?<![\w'])(?:{'|'.join(sorted(map(re.escape, SPELLINGS), key=len, reverse=True))})(?![\w'])"
)
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
MARKS = ("??", " ?", "?!", "!", "...", "???", "!?", "..", " ??")


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


def hurried(question: str, draw) -> str:
    """Words in other spellings, a wrong key, a missing or a second space, or more marks; names,
    which have a capital, and numbers stay. Or all of it in capitals."""
    kind = draw.random()
    if kind < 0.50:
        share = draw.choice((0.3, 0.6, 1.0))
        return SPELLED.sub(
            lambda m: draw.choice(SPELLINGS[m[0]]) if draw.random() < share else m[0], question
        )
    if kind < 0.62:
        return question.rstrip("?.!") + draw.choice(MARKS)
    if kind < 0.66:
        return question.upper()
    if kind < 0.72:
        return question.replace("'", "").replace(",", "")
    words = question.split(" ")
    places = [i for i, w in enumerate(words) if len(w) >= 4 and w.isalpha() and w.islower()]
    if not places:
        return question
    at = draw.choice(places)
    if kind < 0.86:
        words[at] = wrong_key(words[at], draw)
    elif kind < 0.93 and at + 1 < len(words) and words[at + 1].islower():
        words[at : at + 2] = [words[at] + words[at + 1]]
    elif kind < 0.96:
        words[at] += " "
    else:
        words[at] += words[at][-1] * draw.randint(1, 3)
    return " ".join(words)


def wrong_key(word: str, draw) -> str:
    """The word with one letter exchanged for its neighbour on the keyboard, or followed by it."""
    i = draw.randrange(1, len(word))
    row = next((row for row in KEYS if word[i] in row), None)
    if row is None:
        return word
    place = row.index(word[i])
    near = draw.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    return word[:i] + near + word[i + (draw.random() < 0.7) :]
