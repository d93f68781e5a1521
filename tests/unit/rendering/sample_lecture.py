"""A lecture on volcano monitoring with drawn slides."""

import datetime as dt
from pathlib import Path

from services.rendering.domain.handout import Handout
from shared.documents import (
    Claim,
    Engine,
    GlossaryEntry,
    Question,
    Section,
    Segment,
    SlideBlock,
    Source,
    SourceDocument,
    StudyGuide,
    TimeSpan,
    Transcript,
    Utterance,
    Word,
)
from tests.unit.rendering.sample_pictures import draw_slide

LECTURE = (
    (
        "Why volcanoes are watched",
        (
            "About 1,500 potentially active volcanoes",
            "800 million people live within 100 km",
            "Fewer than half are monitored from the ground",
        ),
        (
            (
                "Good morning, and welcome to the third lecture on natural hazards, in which we talk about "
                "how volcanoes are monitored."
            ),
            (
                "There are about fifteen hundred potentially active volcanoes on land, and roughly fifty of "
                "them erupt in any one year."
            ),
            (
                "Some eight hundred million people live within a hundred kilometres of one of them, so this "
                "is not a remote problem."
            ),
            (
                "The aim of monitoring is not to predict the exact minute of an eruption; it is to notice "
                "unrest early enough that people can leave."
            ),
            "And yet fewer than half of these volcanoes have even a single instrument on the ground.",
        ),
    ),
    (
        "Seismic signals",
        (
            "Volcano-tectonic earthquakes: rock breaks",
            "Long-period events: fluid moves",
            "Tremor: continuous, minutes to months",
        ),
        (
            "Let us begin with the oldest and still the most useful tool, the seismometer.",
            (
                "A volcano-tectonic earthquake is a short, sharp event in which brittle rock breaks as magma "
                "pushes it aside."
            ),
            (
                "A long-period event is a slower oscillation, between half a hertz and five hertz, caused by "
                "fluid resonating in a crack."
            ),
            (
                "Tremor is a continuous signal that lasts from minutes to months and usually means that gas "
                "or magma is on the move."
            ),
            (
                "At Pinatubo in 1991 the number of earthquakes rose from a handful to several hundred a day "
                "within two weeks."
            ),
            "One seismometer tells you that something happened; you need at least four to say where, and how deep.",
        ),
    ),
    (
        "Ground deformation",
        ("Tiltmeters: microradians, seconds", "GNSS: millimetres, daily", "InSAR: whole volcano, every 6-12 days"),
        (
            (
                "Now, when magma collects in a reservoir, the ground above it swells, and that is something "
                "we can measure."
            ),
            "Inflation is the swelling of a volcano's surface as pressure in the reservoir below it increases.",
            (
                "A tiltmeter notices a change of one microradian, which is lifting the end of a beam one "
                "kilometre long by one millimetre."
            ),
            (
                "Satellite radar interferometry, or InSAR, compares two radar images of the same place and "
                "shows movement as coloured fringes."
            ),
            (
                "Each fringe stands for about two point eight centimetres of movement towards the satellite "
                "or away from it."
            ),
        ),
    ),
    (
        "Volcanic gases",
        (
            "SO2 flux by ultraviolet spectrometer",
            "CO2 to SO2 ratio rises before eruptions",
            "Passive degassing versus blockage",
        ),
        (
            "The third family of methods looks at what comes out, because gas travels faster than magma.",
            "Sulphur dioxide flux is the mass of the gas that leaves the volcano in a day, usually given in tonnes.",
            (
                "Carbon dioxide comes out of magma at greater depth, so a rising ratio of carbon to sulphur "
                "says that fresh magma is on its way."
            ),
            (
                "A sudden drop in gas is not good news: it can mean that the conduit is blocked and that "
                "pressure is building."
            ),
        ),
    ),
    (
        "From signals to alert levels",
        ("Green, yellow, orange, red", "Levels are decided by people, not by thresholds", "False alarms cost trust"),
        (
            "So far we have looked at each signal by itself, but no observatory ever decides on one signal alone.",
            "An alert level is a public summary of a volcano's state, in four colours from green to red.",
            (
                "The level is decided by people who look at all the data together; there is no threshold that "
                "does it for them."
            ),
            (
                "A false alarm is expensive: on Guadeloupe in 1976 over seventy thousand people left for "
                "months, and no magmatic eruption came."
            ),
            (
                "At Nevado del Ruiz in 1985 the map existed, the warning existed, and still twenty-three "
                "thousand people died because nobody gave the order."
            ),
        ),
    ),
)
GLOSSARY = (
    (
        "Tremor",
        (
            "A continuous seismic signal that lasts from minutes to months and usually means that gas or "
            "magma is on the move."
        ),
        1,
        3,
    ),
    ("Inflation", "The swelling of a volcano's surface as pressure in the reservoir below it increases.", 2, 1),
    (
        "InSAR",
        (
            "Satellite radar interferometry: compares two radar images of the same place and shows movement "
            "as coloured fringes."
        ),
        2,
        3,
    ),
    ("Alert level", "A public summary of a volcano's state, in four colours from green to red.", 4, 1),
    ("Sulphur dioxide flux", "The mass of the gas that leaves the volcano in a day, usually given in tonnes.", 3, 1),
)
QUESTIONS = (
    (
        "What does a long-period event tell an observatory?",
        ("Brittle rock is breaking", "Fluid resonates in a crack", "The edifice is sliding", "A glacier is calving"),
        1,
        1,
        2,
    ),
    (
        "How many seismometers does it take to say where an earthquake was, and how deep?",
        ("One", "Two", "Three", "At least four"),
        3,
        1,
        5,
    ),
    (
        "Why can a sudden drop in gas emission be a bad sign?",
        (
            "The conduit may be blocked, so that pressure is building below it",
            "Magma has run out, and the ground will collapse",
            "The spectrometer has failed because of ash",
            "Rain has washed the plume out of the air",
        ),
        0,
        3,
        3,
    ),
)


def lecture(images: Path, *, repeat: int = 1, slides: bool = True) -> Handout:
    """The sample lecture, its sections `repeat` times over."""
    blocks: list[SlideBlock | Utterance] = []
    sections: list[Section] = []
    segments: list[Segment] = []
    time_s = 0.4
    for part in range(repeat * len(LECTURE)):
        title, bullets, sentences = LECTURE[part % len(LECTURE)]
        slide_start_s = time_s
        utterances = []
        for line, sentence in enumerate(sentences):
            segments.append(_spoken(sentence, time_s))
            span = TimeSpan(start_s=time_s, end_s=segments[-1].end_s)
            utterances.append(
                Utterance(id=f"u{part}-{line}", text=sentence, time=span, slide=part + 1 if slides else None)
            )
            time_s = segments[-1].end_s + 0.7
        slide = _slide(images, part, title, bullets, TimeSpan(start_s=slide_start_s, end_s=time_s)) if slides else []
        blocks += [*slide, *utterances]
        sections.append(
            Section(
                id=f"s{part}",
                title=Claim(text=title, blocks=(utterances[0].id,)),
                key_points=tuple(Claim(text=u.text, blocks=(u.id,)) for u in utterances[1:]),
                illustrations=tuple(s.id for s in slide),
                blocks=tuple(b.id for b in [*slide, *utterances]),
            )
        )
    document = SourceDocument(
        kind="recording",
        source=Source(name="Hazards 3 - Monitoring.mp4", media_type="video/mp4", size=1, sha256="0" * 64),
        duration_s=time_s,
        engines={"speech": "whisper tiny.en", "slides": "block difference", "ocr": "rapidocr 3.10"},
        blocks=tuple(blocks),
    )
    guide = StudyGuide(
        title="How volcanoes are monitored",
        title_blocks=("u0-0",),
        engine=Engine(name="extractive", offline=True),
        summary=tuple(
            Claim(text=LECTURE[p][2][line], blocks=(f"u{p}-{line}",)) for p, line in ((0, 3), (2, 0), (3, 0), (4, 2))
        ),
        sections=tuple(sections),
        glossary=tuple(GlossaryEntry(term=t, definition=d, blocks=(f"u{p}-{n}",)) for t, d, p, n in GLOSSARY),
        questions=tuple(
            Question(stem=stem, options=options, answer=answer, explanation=LECTURE[p][2][n], blocks=(f"u{p}-{n}",))
            for stem, options, answer, p, n in QUESTIONS
        ),
    )
    transcript = Transcript(language="en", duration_s=time_s, engine="whisper tiny.en", segments=tuple(segments))
    return Handout(document, guide, transcript, images, dt.date(2026, 11, 3))


def _slide(images: Path, part: int, title: str, bullets: tuple[str, ...], span: TimeSpan) -> list[SlideBlock]:
    image = draw_slide(images / "slides" / f"{part + 1:03d}.png", title, bullets, part + 1)
    text = " ".join((title, *bullets))
    return [SlideBlock(id=f"slide{part + 1}", number=part + 1, title=title, text=text, image=image, spans=(span,))]


def _spoken(sentence: str, start_s: float) -> Segment:
    words = []
    time_s = start_s
    for token in sentence.split():
        length_s = 0.12 + 0.05 * len(token)
        words.append(Word(start_s=round(time_s, 2), end_s=round(time_s + length_s, 2), text=token, confidence=0.95))
        time_s += length_s + (0.25 if token[-1] in ",;:" else 0.04)
    return Segment(start_s=words[0].start_s, end_s=words[-1].end_s, text=sentence, words=tuple(words))
