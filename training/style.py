"""How varied pages look, and the typefaces that they are printed in."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import ImageFont

FONT_FOLDER = Path(__file__).resolve().parent / "fonts"
FOUR_FACES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSans-Bold.ttf",
)
TEN_FACES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSans-Bold.ttf",
    "LiberationSerif-Regular.ttf",
    "LiberationMono-Regular.ttf",
    "NotoSans-Regular.ttf",
    "NotoSans-Bold.ttf",
)


@functools.cache
def load_font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_FOLDER / file, size)


@functools.lru_cache(maxsize=400_000)
def width_of(font: ImageFont.FreeTypeFont, text: str) -> float:
    """Width of a printed string in pixels; measuring takes half of the time of drawing a page."""
    return font.getlength(text)


@dataclass(frozen=True)
class Style:
    """How varied pages look: `wide` has ten typefaces, more print sizes and random strings;
    `photo_share` is the chance that a page is photographed (camera.py); with `free_words` questions
    come in other words, and some must be refused (phrasing.py); `rich` pages name goods, shops and
    bars that are in no list (rich.py), and their questions are typed carelessly (wording.py);
    `spoken` ones are asked in people's own words (spoken.py), and about more (further.py);
    `varied` adds worlds (worlds.MORE_WORLDS) and pictures that are not square (stretch.py)."""

    wide: bool
    photo_share: float = 0.0
    free_words: bool = False
    rich: bool = False
    spoken: bool = False
    varied: bool = False

    @property
    def faces(self) -> tuple[str, ...]:
        return TEN_FACES if self.wide else FOUR_FACES

    def font(self, draw, narrow: tuple[int, int], wide: tuple[int, int]) -> ImageFont.FreeTypeFont:
        """A random typeface in a size from the range (pixels, inclusive) of this style."""
        face = self.face(draw)
        return load_font(face, draw.randint(*(wide if self.wide else narrow)))

    def face(self, draw) -> str:
        return self.faces[draw.randrange(len(self.faces))]


NARROW = Style(wide=False)
WIDE = Style(wide=True)
PHOTOGRAPHED = Style(wide=True, photo_share=1.0)
FREE = Style(wide=True, photo_share=0.5, free_words=True)
RICH = Style(wide=True, free_words=True, rich=True)
RICH_PHOTOGRAPHED = Style(wide=True, photo_share=1.0, free_words=True, rich=True)
SPOKEN = Style(wide=True, free_words=True, rich=True, spoken=True)
SPOKEN_PHOTOGRAPHED = Style(wide=True, photo_share=1.0, free_words=True, rich=True, spoken=True)
VARIED = replace(SPOKEN, varied=True)
VARIED_PHOTOGRAPHED = replace(VARIED, photo_share=1.0)
STYLES = {
    "narrow": NARROW,
    "wide": WIDE,
    "photo": PHOTOGRAPHED,
    "free": FREE,
    "rich": RICH,
    "rich-photo": RICH_PHOTOGRAPHED,
    "spoken": SPOKEN,
    "spoken-photo": SPOKEN_PHOTOGRAPHED,
    "varied": VARIED,
    "varied-photo": VARIED_PHOTOGRAPHED,
}
