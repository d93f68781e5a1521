"""The hostile sources by name, each with the name that its file has when it is uploaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.hostile import documents, recordings


@dataclass(frozen=True)
class Case:
    """`write` makes the file at a path."""

    file: str
    write: Callable[[Path], None]


CASES = {
    "two_layer_flate": Case("white.pdf", documents.two_layer_flate),
    "nested_forms": Case("nested.pdf", documents.nested_forms),
    "self_drawing_form": Case("itself.pdf", documents.self_drawing_form),
    "image_bomb": Case("picture.pdf", documents.image_bomb),
    "claimed_picture": Case("claimed.pdf", documents.claimed_picture),
    "tiny_tiles": Case("tiles.pdf", documents.tiny_tiles),
    "many_glyphs": Case("glyphs.pdf", documents.many_glyphs),
    "long_word": Case("word.pdf", documents.long_word),
    "deep_page_tree": Case("tree.pdf", documents.deep_page_tree),
    "attachments": Case("attached.pdf", documents.attachments),
    "many_pages": Case("pages.pdf", documents.many_pages),
    "text_pages": Case("text.pdf", documents.text_pages),
    "endless_pages": Case("endless.pdf", documents.endless_pages),
    "wide_video": Case("wide.mkv", recordings.wide_video),
    "flat_pictures": Case("flat.mkv", recordings.flat_pictures),
    "large_pictures": Case("large.mp4", recordings.large_pictures),
    "long_sample": Case("long.mp4", recordings.long_sample),
    "many_tracks": Case("tracks.mkv", recordings.many_tracks),
    "silent_tracks": Case("silent.mkv", recordings.silent_tracks),
    "playlist": Case("list.mp4", recordings.playlist),
    "concatenation": Case("parts.mp4", recordings.concatenation),
}
