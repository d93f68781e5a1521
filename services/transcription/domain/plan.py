"""Which units of work a source makes, and what they are called."""

from shared.events import Command, FindSlides, ReadPages, SourceIngested, TranscribeSpeech

UnitCommand = TranscribeSpeech | FindSlides | ReadPages


def unit_name(command: Command) -> str:
    """The name of a unit, unique in its job: `speech-3`, `slides-1`, `pages-12`."""
    match command:
        case TranscribeSpeech():
            return f"speech-{command.piece.number}"
        case FindSlides():
            return f"slides-{command.range.number}"
        case ReadPages():
            return f"pages-{command.range.number}"
        case _:
            raise TypeError(f"{type(command).__name__} is not a unit of transcription")


def commands(event: SourceIngested) -> list[UnitCommand]:
    """The commands for every unit of a source, slides first: they are few and the longest."""
    base = {**event.job(), "units": event.units()}
    return [
        *(FindSlides(video=event.source, range=span, **base) for span in event.slides),
        *(TranscribeSpeech(piece=piece, **base) for piece in event.speech),
        *(ReadPages(document=event.source, range=pages, **base) for pages in event.pages),
    ]
