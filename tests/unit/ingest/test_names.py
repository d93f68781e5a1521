import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.names import clean_title, sanitise_name

names = st.one_of(
    st.text(),
    st.text(alphabet="\u200c\u200dمی👩💻.a ", max_size=20),
    st.text(alphabet="./\\ -~\0CONcon1:\u202e\u0301é日ﬁ／\n", max_size=40),
    st.tuples(st.text(min_size=1), st.integers(1, 600), st.sampled_from(["", ".mp4", ".tar.gz", ".x" * 100])).map(
        lambda parts: parts[0] * parts[1] + parts[2]
    ),
)


@given(names)
@example("\ud800.mp4")
@example("..")
@example("con")
def test_any_name_becomes_safe(name: str) -> None:
    safe = sanitise_name(name)
    assert 1 <= len(safe) <= 200
    assert len(safe.encode()) <= 200
    assert not set(safe) & set('/\\\0<>:"|?*')
    assert safe[0] not in ".- ~"
    assert safe[-1] not in ". "
    assert ".." not in safe.split("/")
    unsafe = [c for c in safe if c not in "\u200c\u200d" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert not unsafe
    for before, joiner, after in zip(safe, safe[1:], safe[2:], strict=False):
        assert joiner not in "\u200c\u200d" or not (before.isascii() or after.isascii())
    assert safe[0] not in "\u200c\u200d"
    assert safe[-1] not in "\u200c\u200d"
    assert safe.split(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(names)
def test_sanitising_twice_changes_nothing(name: str) -> None:
    assert sanitise_name(sanitise_name(name)) == sanitise_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\lectures\\week 1.mp4", "week 1.mp4"),
        ("week\0 1.mp4", "week 1.mp4"),
        ("．．／secret／x.pdf", "x.pdf"),
        ("ﬁnal.pdf", "final.pdf"),
        ("e\u0301tude.pdf", "étude.pdf"),
        ("annexe\u202efdp.exe", "annexefdp.exe"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
        ("👩\u200d💻 week 1.mp4", "👩\u200d💻 week 1.mp4"),
        ("we\u200dek\u200c 1\u200d.pdf", "week 1.pdf"),
        ("NUL.pdf", "_NUL.pdf"),
        ("COM¹.txt", "_COM1.txt"),
        ("-rf", "rf"),
        (".htaccess", "htaccess"),
        ("Lecture 1: why?.mp4", "Lecture 1_ why_.mp4"),
        ("a\tb\n c.mp4", "a b c.mp4"),
        ("日本語の講義.webm", "日本語の講義.webm"),
        ("", "file"),
        ("///", "file"),
        ("...", "file"),
    ],
)
def test_known_names(name: str, expected: str) -> None:
    assert sanitise_name(name) == expected


def test_a_name_of_5000_characters_keeps_its_extension() -> None:
    assert sanitise_name("x" * 5000 + ".mp4") == "x" * 196 + ".mp4"
    assert sanitise_name("é" * 5000 + ".pdf") == "é" * 98 + ".pdf"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (None, None),
        ("", None),
        (" \x07 ", None),
        ("Untitled", None),
        ("-- ?", None),
        ("Microsoft PowerPoint - Heat engines.pptx", "Heat engines"),
        ("Heat\n\tengines\u202e!", "Heat engines!"),
        ("\x1b[31mHeat\x1b[0m", "Heat"),
    ],
)
def test_titles(title: str | None, expected: str | None) -> None:
    assert clean_title(title) == expected


def test_a_huge_title_is_cut() -> None:
    title = clean_title("word " * 1_000_000)
    assert title is not None
    assert len(title) <= 200
    assert title.endswith("…")
