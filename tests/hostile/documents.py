"""PDF files that are small on disk and enormous for whoever reads them. Each function writes one to `path`."""

import struct
import zlib
from pathlib import Path

MB = 1 << 20
_ADLER = 65_521
PAGE_TREE, FIRST_PAGE = 2, 3


def stream(data: bytes, dictionary: bytes = b"") -> bytes:
    """A stream object of `data` as it is."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), dictionary, data)


def deflated(piece: bytes, times: int) -> bytes:
    """`piece` so many times over, compressed as often as that makes a difference: twice.

    After a full flush the same bytes are compressed to the same bytes, so the second piece can stand for all others.
    """
    packer = zlib.compressobj(9)
    first, second = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    checksum = struct.pack(">I", adler32_of(piece, times))
    return first + second * (times - 1) + packer.flush()[:-4] + checksum


def adler32_of(piece: bytes, times: int) -> int:
    """The checksum of `piece` repeated: RFC 1950's two sums, of which each piece adds the same to the first."""
    alone = zlib.adler32(piece, 0)
    first, second = alone & 0xFFFF, alone >> 16
    low = (1 + times * first) % _ADLER
    high = times * len(piece) + len(piece) * first * (times * (times - 1) // 2) + times * second
    return (high % _ADLER) << 16 | low


def write_pdf(path: Path, objects: list[bytes]) -> None:
    """A PDF of `objects`, numbered from 1; the first is the catalog."""
    body, places = b"%PDF-1.7\n", []
    parts = [body]
    length = len(body)
    for number, content in enumerate(objects, 1):
        places.append(length)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        length += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, length))
    path.write_bytes(b"".join(parts))


def one_page(path: Path, content: bytes, *others: bytes, resources: bytes = b"", catalog: bytes = b"") -> None:
    """A PDF of one page. Object 4 is its content, 5 the font /F, `others` follow from 6 on."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << %s >> >>"
    write_pdf(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            page % (b"/Font << /F 5 0 R >> " + resources),
            content,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *others,
        ],
    )


def two_layer_flate(path: Path) -> None:
    """A page of 2 GB of white space, compressed twice to a few kilobytes."""
    inner = deflated(b" " * MB, 2048)
    one_page(path, stream(zlib.compress(inner, 9), b"/Filter [/FlateDecode /FlateDecode]"))


def _form(content: bytes, drawn: int | None) -> bytes:
    resources = b"" if drawn is None else b"/Resources << /XObject << /X %d 0 R >> >>" % drawn
    return stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] " + resources)


def nested_forms(path: Path) -> None:
    """Twelve forms, each of which draws the next one ten times: 10^12 lines of text."""
    depth = 12
    forms = [_form(b"/X Do " * 10, 7 + index) for index in range(depth)]
    last = _form(b"BT /F 12 Tf 72 700 Td (boom) Tj ET", None)
    one_page(path, stream(b"/X Do"), *forms, last, resources=b"/XObject << /X 6 0 R >>")


def self_drawing_form(path: Path) -> None:
    """A form that draws itself, twice."""
    one_page(path, stream(b"/X Do"), _form(b"/X Do /X Do", 6), resources=b"/XObject << /X 6 0 R >>")


def image_bomb(path: Path) -> None:
    """A picture of 30,000 by 30,000 points: 2.7 GB when decoded."""
    side = 30_000
    facts = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8" % (
        side,
        side,
    )
    data = zlib.compress(deflated(bytes(side * 3), side), 9)
    picture = stream(data, facts + b" /Filter [/FlateDecode /FlateDecode]")
    one_page(path, stream(b"q 612 0 0 792 0 0 cm /I Do Q"), picture, resources=b"/XObject << /I 6 0 R >>")


def claimed_picture(path: Path) -> None:
    """A JPEG of a few bytes that says it has 65,500 by 65,500 points."""
    side = 65_500
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, side, side, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    facts = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB" % (side, side)
    picture = stream(b"\xff\xd8" + frame + b"\xff\xd9", facts + b" /BitsPerComponent 8 /Filter /DCTDecode")
    one_page(path, stream(b"q 612 0 0 792 0 0 cm /I Do Q"), picture, resources=b"/XObject << /I 6 0 R >>")


def tiny_tiles(path: Path) -> None:
    """A pattern whose tiles are a hundred-thousandth of a point wide, over the whole page."""
    facts = b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.00001 /YStep 0.00001"
    tile = stream(b"0 0 1 rg 0 0 1 1 re f", facts + b" /Resources << >>")
    one_page(path, stream(b"/Pattern cs /T scn 0 0 612 792 re f"), tile, resources=b"/Pattern << /T 6 0 R >>")


def many_glyphs(path: Path) -> None:
    """A page with 200,000 glyphs, one over the other."""
    lines = b"".join(b"1 0 0 1 %d %d Tm (%s) Tj\n" % (20 + n % 50, n % 780, b"glyph " * 20) for n in range(1_667))
    one_page(path, stream(zlib.compress(b"BT /F 6 Tf\n" + lines + b"ET"), b"/Filter /FlateDecode"))


def long_word(path: Path) -> None:
    """One word of a million letters."""
    one_page(path, stream(zlib.compress(b"BT /F 8 Tf 10 400 Td (" + b"x" * MB + b") Tj ET"), b"/Filter /FlateDecode"))


def pages_of(path: Path, contents: list[bytes], *others: bytes, resources: bytes = b"") -> None:
    """A PDF of a page for each of `contents`. Object 3 is the font /F, `others` follow from 4 on."""
    first = 4 + len(others)
    kids = b" ".join(b"%d 0 R" % (first + 2 * index) for index in range(len(contents)))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << %s >> >>"
    pages = [(page % (first + 2 * index + 1, resources), stream(data)) for index, data in enumerate(contents)]
    write_pdf(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(contents)),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *others,
            *(written for pair in pages for written in pair),
        ],
    )


def many_pages(path: Path) -> None:
    """3,000 pages without a text layer, each of which would have to be recognised."""
    pages_of(path, [b"0 0 1 rg 100 100 300 %d re f" % (300 + index % 200) for index in range(3000)])


def text_pages(path: Path, count: int = 3000) -> None:
    """3,000 pages of some lines of text each."""
    line = b"1 0 0 1 72 %d Tm (Line %d of the text on page %d, of which there are a great many.) Tj\n"
    contents = [
        b"BT /F 12 Tf 1 0 0 1 72 740 Tm (Page %d) Tj\n" % page
        + b"".join(line % (700 - 14 * row, row, page) for row in range(20))
        + b"ET"
        for page in range(1, count + 1)
    ]
    pages_of(path, contents, resources=b"/Font << /F 3 0 R >>")


def endless_pages(path: Path) -> None:
    """3,000 pages, each of which draws twelve forms that draw the next one ten times, and shows nothing."""
    depth = 12
    forms = [_form(b"/X Do " * 10, 5 + index) for index in range(depth)]
    drawn = b"/XObject << /X 4 0 R >>"
    pages_of(path, [b"/X Do"] * 3000, *forms, _form(b"", None), resources=drawn)


def deep_page_tree(path: Path) -> None:
    """One page below 50,000 nodes."""
    depth = 50_000
    nodes = [b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 1 >>" % (n - 1, n + 1) for n in range(2, depth)]
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] >>" % (depth - 1)
    write_pdf(path, [b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, page])


def attachments(path: Path) -> None:
    """A page of text with 40 attached files, each of 200 MB when unpacked."""
    count = 40
    packed = stream(deflated(bytes(MB), 200), b"/Type /EmbeddedFile /Filter /FlateDecode")
    files = [b"<< /Type /Filespec /F (%d.bin) /EF << /F 6 0 R >> >>" % index for index in range(count)]
    names = b" ".join(b"(%03d) %d 0 R" % (index, 7 + index) for index in range(count))
    text = stream(b"BT /F 12 Tf 72 700 Td (The text of this page is all that there is to read in it.) Tj ET")
    one_page(path, text, packed, *files, catalog=b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % names)
