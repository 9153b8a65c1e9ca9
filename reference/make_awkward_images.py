"""Writes fixtures/images/: images that an app meets in the wild, each awkward in one way.

python3 reference/make_awkward_images.py
"""

import io
import shutil
import struct
import zlib
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "public" / "samples" / "receipt.png"
OUT = ROOT / "fixtures" / "images"
EXIF_ORIENTATION = 0x0112
ROTATED_CLOCKWISE = 6  # the viewer must turn the stored picture by 90° clockwise


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    page = Image.open(PAGE).convert("RGB")
    shutil.copyfile(PAGE, OUT / "receipt.png")
    write_rotated(page)
    write_transparent(page)
    write_animations(page)
    write_wide(page)
    write_encodings(page)
    write_broken()


def write_rotated(page: Image.Image) -> None:
    """Stored lying on its side; upright once the orientation tag is obeyed."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = ROTATED_CLOCKWISE
    page.transpose(Image.Transpose.ROTATE_90).save(
        OUT / "rotated-exif6.jpg", quality=92, subsampling=0, exif=exif
    )
    page.transpose(Image.Transpose.ROTATE_90).save(OUT / "exif6.webp", lossless=True, exif=exif)


def write_transparent(page: Image.Image) -> None:
    """The ink alone, black where nothing is: on anything but white it cannot be read."""
    darkness = page.convert("L").point(lambda value: 255 - value if value < 200 else 0)
    picture = Image.new("RGBA", page.size, (0, 0, 0, 0))
    picture.putalpha(darkness)
    picture.save(OUT / "transparent.png", optimize=True)


def write_animations(page: Image.Image) -> None:
    """Two frames: the page, then plain red. The first one counts."""
    red = Image.new("RGB", page.size, (214, 48, 49))
    timing = dict(save_all=True, append_images=[red], duration=400, loop=0)
    page.save(OUT / "animated.webp", lossless=True, **timing)
    page.quantize(64).save(OUT / "animated.gif", **{**timing, "append_images": [red.quantize(2)]})


def write_wide(page: Image.Image) -> None:
    """600 × 300: the processor squashes it to its square."""
    page.resize((600, 300), Image.Resampling.LANCZOS).save(OUT / "wide-600x300.png", optimize=True)


def write_encodings(page: Image.Image) -> None:
    """JPEG scans of each kind, and an AVIF that only its compatible brands call so."""
    part = page.crop((60, 60, 253, 191))  # no multiple of a block
    part.save(OUT / "progressive.jpg", quality=80, progressive=True)
    part.save(OUT / "restarts.jpg", quality=80, restart_marker_blocks=5)
    file = io.BytesIO()
    page.save(file, "AVIF", quality=70)
    avif = bytearray(file.getvalue())
    avif[8:12] = b"miaf"
    (OUT / "brand-miaf.avif").write_bytes(avif)


def write_broken() -> None:
    data = PAGE.read_bytes()
    (OUT / "truncated.png").write_bytes(data[: len(data) // 2])
    (OUT / "empty.png").write_bytes(b"")
    (OUT / "not-an-image.png").write_bytes(b"A sentence, whatever the file is called.\n")
    (OUT / "huge-20000x20000.png").write_bytes(png_header(20_000, 20_000))


def png_header(width: int, height: int) -> bytes:
    """Signature, IHDR and one byte of pixels: enough to be refused by, far too little to decode."""
    fields = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    file = io.BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    for kind, body in ((b"IHDR", fields), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")):
        file.write(struct.pack(">I", len(body)) + kind + body)
        file.write(struct.pack(">I", zlib.crc32(kind + body)))
    return file.getvalue()


if __name__ == "__main__":
    main()
