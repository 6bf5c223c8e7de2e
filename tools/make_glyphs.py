"""Makes core/data/glyphs.npz, the digits that `rendered.py` bends: `python tools/make_glyphs.py [folder of .ttf files]`.

The fonts are DejaVu (Bitstream Vera licence) and STIX (SIL Open Font License 1.1), both of which allow pictures of their
letters to be passed on. They are taken from matplotlib, where their licences lie beside them. The result is kept in the
repository because the pixels depend on the version of FreeType.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
)
SIDE, LONGEST = 64, 44
"""Pixels of a glyph's square, and of the longer side of the digit in its middle."""
TARGET = Path(__file__).parents[1] / "core" / "data" / "glyphs.npz"


def matplotlib_fonts() -> Path:
    """The folder of matplotlib's fonts, found without importing it."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise SystemExit("matplotlib is not installed: name a folder that holds the .ttf files.")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def glyph(font: ImageFont.FreeTypeFont, digit: int) -> np.ndarray:
    """One digit in the middle of its square, (SIDE, SIDE) uint8, white on black."""
    sheet = Image.new("L", (4 * SIDE, 4 * SIDE))
    ImageDraw.Draw(sheet).text((SIDE, SIDE), str(digit), font=font, fill=255)
    ink = sheet.crop(sheet.getbbox())
    factor = LONGEST / max(ink.size)
    width, height = (max(1, round(size * factor)) for size in ink.size)
    square = Image.new("L", (SIDE, SIDE))
    square.paste(ink.resize((width, height), Image.Resampling.LANCZOS), ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(square)


def atlas(folder: Path) -> np.ndarray:
    """All digits of all fonts, (fonts, 10, SIDE, SIDE) uint8."""
    fonts = [ImageFont.truetype(str(folder / f"{name}.ttf"), 60) for name in FONTS]
    return np.array([[glyph(font, digit) for digit in range(10)] for font in fonts])


if __name__ == "__main__":
    np.savez_compressed(TARGET, glyphs=atlas(Path(sys.argv[1]) if len(sys.argv) > 1 else matplotlib_fonts()))
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size:,} bytes\n")
