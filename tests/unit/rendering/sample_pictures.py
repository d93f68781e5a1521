"""Pictures as lecturers and reports have them, drawn here."""

import hashlib
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from shared.documents import (
    Image,
)


def draw_slide(path: Path, title: str, bullets: tuple[str, ...], number: int) -> Image:
    """A 16:9 slide as lecturers make them."""
    picture = Picture.new("RGB", (1280, 720), "#fbfaf7")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 1280, 14), fill="#a33b20")
    pen.text((70, 60), title, font=ImageFont.load_default(58), fill="#222222")
    for line, bullet in enumerate(bullets):
        pen.text((80, 190 + 74 * line), "-  " + bullet, font=ImageFont.load_default(36), fill="#333333")
    heights = [((7 * number + 13 * k) % 11) * 9 + 20 for k in range(24)]
    for k, height in enumerate(heights):
        pen.rectangle((90 + 44 * k, 650 - height, 90 + 44 * k + 26, 650), fill="#c96f4a" if k % 3 else "#7b2d18")
    pen.text((1180, 668), str(number), font=ImageFont.load_default(26), fill="#777777")
    return save_picture(picture, path)


def save_picture(picture: Picture.Image, path: Path) -> Image:
    """Write a PNG and describe it; the name is its folder's and its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    data = path.read_bytes()
    return Image(
        name=f"{path.parent.name}/{path.name}",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=picture.width,
        height=picture.height,
    )
