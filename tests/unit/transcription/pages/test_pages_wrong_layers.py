"""Text layers that do not say what their pages show: found, read from the picture, and told."""

import re

import pikepdf
import pytest

from services.transcription.pages import comparison
from services.transcription.pages import read as reading
from services.transcription.pages.join import join_units
from services.transcription.pages.layer import Judgement, judge
from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import PageContent, PageOptions
from services.transcription.pages.notices import notices
from services.transcription.pages.read import read_pages
from shared.errors import EngineError, EngineLimitError

PROSE = (
    "The chief officer found the staff of the office sufficient for the flow of traffic. "
    "A different effort was needed in the first fifty weeks, and the offer was refined twice."
)


def prose_page(text=PROSE):
    return f'#set page(width: 12cm, height: 8cm, margin: 1cm)\n#set text(font: "Libertinus Serif", 12pt)\n{text}'


def each_font(source, target, change):
    """A copy of a PDF with `change` made to each font that has a map to characters."""
    with pikepdf.open(source) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and "/ToUnicode" in item:
                change(item)
        pdf.save(target)
    return target


def remapped(function):
    """A change that gives every glyph `function` of its characters."""

    def change(font):
        stream = font["/ToUnicode"]
        text = re.sub(
            r"(<[0-9A-Fa-f]+>\s+)<([0-9A-Fa-f]+)>(?=\s*\n)",
            lambda match: f"{match[1]}<{_coded(function(_decoded(match[2])))}>",
            stream.read_bytes().decode("latin1"),
        )
        stream.write(text.encode("latin1"))

    return change


def _decoded(code):
    return bytes.fromhex(code).decode("utf-16-be")


def _coded(text):
    return text.encode("utf-16-be").hex()


def reversed_alphabet(text):
    return "".join(chr(219 - ord(c)) if "a" <= c <= "z" else c for c in text)


def without_ligatures(text):
    return "\0" if text in {"fi", "ff", "fl", "ffi", "ffl", "tt"} else text


def in_cyrillic(text):
    return "".join(chr(0x430 + ord(c) - ord("a")) if "a" <= c <= "z" else c for c in text)


def read(path, tmp_path, **options):
    unit = read_pages(path, 1, 9, tmp_path, PageOptions(**options))
    return unit.pages, join_units([unit])


def text_of(joined):
    return " ".join(block.text for block in joined.blocks if block.kind != "figure")  # wide pages are shown as slides


@pytest.mark.integration
@pytest.mark.parametrize("function", [reversed_alphabet, in_cyrillic], ids=["other letters", "another script"])
def test_fluent_rubbish_is_read_from_the_picture(typeset, tmp_path, function):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", remapped(function))
    pages, joined = read(wrong, tmp_path)
    assert pages[0].origin == "ocr"
    assert "chief officer found the staff" in text_of(joined)
    assert any("page 1" in warning and "picture" in warning for warning in joined.warnings)


@pytest.mark.integration
def test_fonts_without_a_map_are_read_from_the_picture(typeset, tmp_path):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", lambda font: font.__delitem__("/ToUnicode"))
    pages, joined = read(wrong, tmp_path)
    assert pages[0].origin == "ocr"
    assert "different effort was needed" in text_of(joined)


@pytest.mark.integration
def test_ligatures_that_the_layer_lacks_come_from_the_picture(typeset, tmp_path):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", remapped(without_ligatures))
    pages, joined = read(wrong, tmp_path)
    assert pages[0].origin == "text_layer"
    assert text_of(joined) == PROSE
    assert not joined.warnings


def test_missing_letters_are_told_where_nothing_recognises(typeset, tmp_path):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", remapped(without_ligatures))
    _, joined = read(wrong, tmp_path, ocr=False)
    assert "o\ufffdcer" in text_of(joined)
    assert joined.warnings == ("Some letters or signs on page 1 could not be read; � stands in their place.",)


def test_a_wrong_layer_is_left_out_and_told_where_nothing_recognises(typeset, tmp_path):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", lambda font: font.__delitem__("/ToUnicode"))
    pages, joined = read(wrong, tmp_path, ocr=False)
    assert not joined.blocks
    assert pages[0].doubts == ("unread",)
    assert "The text of page 1 could not be read reliably and was left out." in joined.warnings


def test_a_failing_recognition_leaves_a_doubtful_layer_as_it_is(typeset, tmp_path, monkeypatch):
    def fail(*args):
        raise EngineError("no engine")

    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", remapped(reversed_alphabet))
    monkeypatch.setattr(comparison, "read_line", fail)
    pages, _ = read(wrong, tmp_path)
    assert pages[0].origin == "text_layer"
    assert pages[0].doubts == ("uncertain",)


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        pytest.param(comparison, "read_line", reversed_alphabet, id="comparing"),
        pytest.param(reading, "read_scan", without_ligatures, id="filling letters in"),
    ],
)
def test_a_limit_that_recognition_meets_is_one_that_the_page_met(typeset, tmp_path, monkeypatch, where, name, wrong):
    def refuse(*args):
        raise EngineLimitError("too much memory")

    monkeypatch.setattr(where, name, refuse)
    with pytest.raises(EngineLimitError):
        read(each_font(typeset(prose_page()), tmp_path / "wrong.pdf", remapped(wrong)), tmp_path)


def test_recognition_stops_when_its_time_is_over(typeset, tmp_path):
    wrong = each_font(typeset(prose_page()), tmp_path / "wrong.pdf", lambda font: font.__delitem__("/ToUnicode"))
    pages, _ = read(wrong, tmp_path, ocr_range_s=1e-9)
    assert pages[0].doubts == ("unread",)


GOOD = {
    "German": "Der Fluss fließt durch die Stadt und wird von den Brücken nicht aufgehalten, auch wenn er steigt.",
    "French": "Le fleuve traverse la ville et les ponts ne sont pas un obstacle pour lui, même dans une année de crue.",
    "Polish": "Rzeka płynie przez miasto i nie jest to dla niej problem, że na jej drodze stoją mosty z kamienia.",
    "Turkish": "Nehir şehrin içinden akar ve bu köprüler için bir sorun değil, çünkü her yıl daha çok su gelir.",
    "Vietnamese": "Con sông chảy qua thành phố và các cây cầu không phải là một trở ngại cho người dân.",
}


@pytest.mark.parametrize("language", GOOD)
def test_pages_of_other_languages_are_believed(language):
    text = GOOD[language]
    assert judge(TextPage(600, 800, [], raw=text)) is Judgement.GOOD


CODE = "\n".join(f"int value_{i} = compute(list[{i}], offset + {i}); print(value_{i});" for i in range(20))
NAMES = "\n".join(f"Kowalski Anna {i}, Baumgartner Xaver {i + 7}, Petrossian Ruben {i * 3}" for i in range(20))
GREEK = "Το ποτάμι περνά μέσα από την πόλη και οι γέφυρες δεν το εμποδίζουν ακόμη και τον χειμώνα."
CHINESE = "河流穿过城市,桥梁并不妨碍它,即使在冬天水位上升的时候也是如此。"


@pytest.mark.integration
@pytest.mark.parametrize(
    "text", [CODE, NAMES, GREEK, "Вода течёт через город, и мосты ей не мешают, даже когда зимой она поднимается."]
)
def test_what_is_only_unusual_is_believed_after_a_look(typeset, tmp_path, text):
    escaped = text.replace("[", "\\[").replace("]", "\\]").replace("_", "\\_").replace("*", "\\*")
    page = f'#set page(width: 14cm, height: 16cm, margin: 1cm)\n#set text(font: ("Libertinus Serif"), 10pt)\n{escaped}'
    pages, joined = read(typeset(page), tmp_path)
    assert pages[0].origin == "text_layer"
    assert pages[0].doubts == ()
    assert not joined.warnings


def test_numbers_and_chinese_need_no_look():
    numbers = TextPage(600, 800, [], raw="\n".join(f"{i} {i * i} {i**3}" for i in range(60)))
    assert judge(numbers) is Judgement.GOOD
    assert judge(TextPage(600, 800, [], raw=CHINESE)) is not Judgement.USELESS


def test_letters_of_many_scripts_side_by_side_are_no_language():
    raw = "Ԕϸa ΰÎ ߙΨb ϣķg ϙʆcd һӍΉʽ ীǊಅഀ ಅϢiͳ ରഀƹ ΉటҧǂȥǂƎ ʤ̦˵ ƹϕŊأһαฝ ೗ϕ̼ഗੜ" * 5
    assert judge(TextPage(600, 800, [], raw=raw)) is Judgement.USELESS


def test_an_arabic_layer_torn_into_letters_is_useless():
    torn = "ت ن ب ي ف ق ض ة ك ل " * 8 + "السكر والماء "
    assert judge(TextPage(600, 800, [], raw=torn)) is Judgement.USELESS
    whole = "تصنع النباتات السكر من ثاني أكسيد الكربون والماء وهي تستخدم طاقة ضوء الشمس " * 4
    assert judge(TextPage(600, 800, [], raw=whole)) is Judgement.DOUBTFUL


@pytest.mark.parametrize(
    ("layer", "seen", "sure", "differs"),
    [
        ("Wkh iloh riihuhg d ghilqlwlrq", "The file offered a definition", 95, True),
        ("Wkh iloh riihuhg d ghilqlwlrq", "The file offered a definition", 40, None),
        ("Łódź leży w środku kraju", "Lodz lezy w $rodku kraju", 70, False),
        ("T h e t i d e f o l l o w s", "The tide follows", 90, True),
        ("Река течёт через город", "Pexa teyet yepes ropon", 50, None),
        ("Ф срштмк пнс рдф сдх", "The tide of the harbour is at its height", 93, True),
        ("12", "Tides and harbours", 95, None),
    ],
)
def test_a_line_against_its_picture(layer, seen, sure, differs):
    assert comparison._differs(layer, seen, sure) is differs


def test_pages_in_doubt_are_named_together():
    pages = [PageContent(number=n, width=1, height=1, origin="none", doubts=("unread",)) for n in (3, 4, 5, 9)]
    pages.append(PageContent(number=10, width=1, height=1, origin="none", warnings=("Own.",), doubts=("script",)))
    assert notices(pages) == (
        "Own.",
        "The text of pages 3-5 and 9 could not be read reliably and was left out.",
        "The text of page 10 is in a script that this installation cannot recognise and was left out.",
    )


def test_the_lines_to_compare_are_long_and_level():
    lines = [Line("short", 0, 0, 30, 10, 9, 10), Line("turned words here", 0, 0, 10, 90, 9, 10, angle=90)]
    lines += [
        Line("wkh orqjhvw olqh riihuhg", 0, 20, 90, 30, 29, 10),
        Line("the line of the page", 0, 40, 90, 50, 49, 10),
    ]
    assert comparison.lines_to_compare(TextPage(600, 800, lines), 1)[0].text == "wkh orqjhvw olqh riihuhg"
