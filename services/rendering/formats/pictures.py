"""Pictures made small enough to print and to send: one JPEG each, shared by the PDF and the HTML."""

import io
import math
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from services.rendering.domain.sections import Picture

MANY_PICTURES = 80
WIDTH_PX = 960  # a column of 74 mm at 330 dpi, the page's width at 140 dpi
WIDTH_OF_MANY_PX = 640
HEIGHT_PX = 1600
LARGEST_PIXELS = 100_000_000  # 300 MB decoded; a slide of a 4K recording has 8 million
JPEG_QUALITY = 82
THREADS = 2


@dataclass(frozen=True)
class PreparedPicture:
    """A picture to embed: `path` of a JPEG of `width` x `height` pixels."""

    path: Path
    width: int
    height: int


def prepare_pictures(pictures: Iterable[Picture], images: Path, folder: Path) -> dict[str, PreparedPicture]:
    """Scaled copies of the pictures in `folder`, by name. A picture that cannot be read has none.

    As many pictures are in memory at a time as threads work on them.
    """
    names = list(dict.fromkeys(picture.name for picture in pictures))
    width = WIDTH_PX if len(names) <= MANY_PICTURES else WIDTH_OF_MANY_PX
    targets = [folder / f"{number}.jpg" for number in range(1, len(names) + 1)]
    with ThreadPoolExecutor(THREADS) as threads:  # decoding, scaling and encoding run without the interpreter's lock
        sizes = list(threads.map(lambda name, target: _scale(images / name, target, width), names, targets))
    return {
        name: PreparedPicture(target, *size)
        for name, target, size in zip(names, targets, sizes, strict=True)
        if size is not None
    }


def _scale(source: Path, target: Path, width: int) -> tuple[int, int] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source, formats=("PNG", "JPEG", "WEBP")) as image:
                if image.width * image.height > LARGEST_PIXELS:
                    return None
                scaled = _on_white(image, width)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    buffer = io.BytesIO()
    scaled.save(buffer, "JPEG", quality=JPEG_QUALITY)
    target.write_bytes(buffer.getvalue())
    return scaled.size


def _on_white(image: Image.Image, width: int) -> Image.Image:
    """The picture in RGB near `width` and under `HEIGHT_PX`, transparency over white as on paper.

    Whole-number reduction is several times faster than any other and blurs no thin line.
    """
    factor = max(1, round(image.width / width), math.ceil(image.height / HEIGHT_PX))
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    image.load()
    converted = image if image.mode == mode else image.convert(mode)
    if factor > 1:
        converted = converted.reduce((min(factor, image.width), min(factor, image.height)))
    if not has_alpha:
        return converted
    page = Image.new("RGB", converted.size, "white")
    page.paste(converted, mask=converted.getchannel("A"))
    return page
