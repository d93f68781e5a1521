"""What a seed stands for: the jobs, who does what with them, and the faults with their moments."""

import random
import uuid
from dataclasses import dataclass

from tests.chaos.cases import Act, Way, Wish
from tests.chaos.content import GUIDE, PREPARE, Content
from tests.chaos.owners import KEYLESS, OFTEN, SELDOM

WINDOW_S_PER_FAULT = 0.75
LEAST_WINDOW_S = 10.0
QUIET_START_S = 0.5
SHORT_JOBS = 50
EVENT_WAYS: tuple[Way, ...] = ("bare", "binary", "structured")
IN_ALL_STAGES = "slow-stages.pdf"  # takes its time in every stage
SHORT_PALETTE = (
    "talk-2.wav",
    "talk-5.wav",
    "paper-2.pdf",
    "flaky-unit.wav",
    "poisoned-unit.wav",
    "slow.wav",
    "mendable.wav",
    "no-web-page.wav",
    IN_ALL_STAGES,
)
# What is accepted while the broker is away is known to the database alone when the gateways are killed: in every plan.
CUT_OFF: tuple[tuple[Act, str, str], ...] = (
    ("none", "talk-2.wav", "submit"),
    ("cancel", "slow.wav", "act"),
    ("delete", "talk-5.wav", "act"),
)

SLOW_STAGES = ("pages-2", GUIDE, "render-pdf")

# Small jobs are many and large ones few, as everywhere.
WEIGHTS: dict[str, float] = {
    "talk-1.wav": 12,
    "talk-2.wav": 8,
    "paper-1.pdf": 12,
    "paper-2.pdf": 6,
    "slow.wav": 2,
    "mendable.wav": 1.5,
    "large.wav": 0.6,
}
# Each kind of fault with its share. What takes the whole system away for seconds is rare, or nothing would be tried: a
# fault every second or so, of which one in twenty is such, leaves it half of the time to work in.
SHARES: dict[str, float] = {
    "kill worker": 20,
    "stop worker": 11,
    "kill gateway": 4,
    "stop gateway": 3,
    "restart broker": 0.6,
    "kill broker": 0.8,
    "kill database": 1.5,
    "stop database": 1,
    "cut": 13,
    "slow": 6,
    "refuse": 6,
    "stall": 3,
    "storage": 8,
    "repeat events": 7,
    "repeat commands": 4,
    "hostile": 9,
    "fill disk": 1.2,
    "fill every disk": 0.3,
}
# A short form has few faults: these come first, so that it has the hardest.
FIRST = (
    "kill worker",
    "kill gateway",
    "kill broker",
    "kill database",
    "hostile",
    "repeat events",
    "cut",
    "storage",
    "fill every disk",
)


@dataclass(frozen=True)
class Fault:
    """A fault at a moment of the run. `seed` decides its details."""

    at_s: float
    kind: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """A seed's schedule.

    `longest_s` bounds every fault that lasts. An upload of `orphan_age_s` belongs to a job or to nobody: that is longer
    than a request can be held up and succeed. `patience_s`: how long a job's end is waited for.
    """

    seed: int
    window_s: float
    longest_s: float
    orphan_age_s: float
    patience_s: float
    with_s3: bool
    palette: tuple[Content, ...]
    wishes: tuple[Wish, ...]
    faults: tuple[Fault, ...]


def palette(rng: random.Random) -> tuple[Content, ...]:
    """The contents that jobs are made of: most plain ones, and each kind of trouble."""
    plain = [
        Content(name=f"talk-{n}.wav", units=n, slides=n % 3, work_ms=rng.choice((0, 10, 30)), padding=n * n * 9000)
        for n in (1, 2, 3, 5)
    ]
    plain += [
        Content(name=f"paper-{n}.pdf", kind="document", units=n, work_ms=rng.choice((0, 10, 30)), padding=n * 500)
        for n in (1, 2, 4)
    ]
    flaky = [
        Content(name="flaky-unit.wav", units=3, flaky={"speech-2": 2}),
        Content(name="flaky-ends.pdf", kind="document", units=2, flaky={PREPARE: 1, GUIDE: 2, "pages-1": 1}),
    ]
    poisoned = [
        Content(name="poisoned-source.wav", poisoned=PREPARE),
        Content(name="poisoned-unit.wav", units=4, slides=1, poisoned="speech-3"),
        Content(name="poisoned-guide.pdf", kind="document", units=2, poisoned=GUIDE),
    ]
    slow = [
        Content(name="slow.wav", units=3, slides=1, slow=("speech-2",), slow_s=2.5),
        Content(name=IN_ALL_STAGES, kind="document", units=2, slow=SLOW_STAGES, slow_s=1.5),
    ]
    mendable = [Content(name="mendable.wav", units=3, slides=1, mendable="speech-1")]
    optional = [
        Content(name="no-web-page.wav", units=2, missing=("render-html",)),
        Content(name="no-data.pdf", kind="document", missing=("render-data",), flaky={"render-pdf": 1}),
    ]
    limited = [Content(name="limited.wav", units=3, slides=1, limited="speech-2")]
    large = [Content(name="large.wav", units=1, padding=17 << 20)]
    return (*plain, *flaky, *poisoned, *slow, *mendable, *optional, *limited, *large)


def make_plan(seed: int, *, jobs: int, faults: int) -> Plan:
    """The plan of `seed`; equal arguments give equal plans."""
    rng = random.Random(seed)
    window_s = max(LEAST_WINDOW_S, faults * WINDOW_S_PER_FAULT)
    short = jobs <= SHORT_JOBS
    contents = palette(rng)
    if short:
        contents = tuple(content for content in contents if content.name in SHORT_PALETTE)
    wishes = [_wish(rng, number, contents, window_s, longest_s=2.0 if short else 15.0) for number in range(1, jobs + 1)]
    wishes += _cut_off(rng, jobs, contents, window_s)
    return Plan(
        seed=seed,
        window_s=window_s,
        longest_s=2.0 if short else 8.0,
        orphan_age_s=8.0 if short else 30.0,
        patience_s=60.0 if short else 150.0,
        with_s3=bool(seed % 2),
        palette=contents,
        wishes=tuple(sorted(wishes, key=lambda wish: wish.at_s)),
        faults=tuple(_faults(rng, faults, window_s)),
    )


def _wish(rng: random.Random, number: int, contents: tuple[Content, ...], window_s: float, *, longest_s: float) -> Wish:
    weights = [_weight(content) for content in contents]
    content = rng.choices(contents, weights)[0]
    act: Act = rng.choice(("retry", "replay")) if content.mendable else "none"
    if act == "none":
        act = rng.choices(("none", "delete", "cancel", "abandon"), (71, 12, 13, 4))[0]
        if content.slow and rng.random() < 0.7:
            act = "cancel"
    way: Way = rng.choices(("http", *EVENT_WAYS), (78, 8, 7, 7))[0]
    owner = rng.choices((*OFTEN, KEYLESS), (50, 25, 20, 5))[0]
    if owner == KEYLESS:
        way, act = ("bare" if way == "http" else way), "none"
        content = next(content for content in contents if content.is_plain)
    elif way != "http" and act == "abandon":
        act = "none"
    return Wish(
        number=number,
        at_s=rng.uniform(0, window_s * 0.92),
        content=content,
        key=str(uuid.UUID(int=rng.getrandbits(128))),
        owner=owner,
        way=way,
        act=act,
        after_s=rng.choice((0.0, rng.uniform(0, 1), rng.uniform(0, longest_s))),
        then_kill=rng.choices((None, "gateway", "broker"), (0.986, 0.01, 0.004))[0],
    )


def _cut_off(rng: random.Random, jobs: int, contents: tuple[Content, ...], window_s: float) -> list[Wish]:
    """The last of an owner: nobody else's submission has it published."""
    by_name = {content.name: content for content in contents}
    return [
        Wish(
            number=jobs + number,
            at_s=window_s * (0.2 + 0.25 * number),
            content=by_name[name],
            key=str(uuid.UUID(int=rng.getrandbits(128))),
            act=act,
            after_s=0.5,
            owner=SELDOM,
            cut_off="submit" if which == "submit" else "act",
        )
        for number, (act, name, which) in enumerate(reversed(CUT_OFF), start=1)
    ]


def _weight(content: Content) -> float:
    if content.poisoned or content.is_partial:
        return 1.0
    return WEIGHTS.get(content.name, 4.0)


def _faults(rng: random.Random, count: int, window_s: float) -> list[Fault]:
    kinds = list(dict.fromkeys((*FIRST, *SHARES)))[:count]  # each at least once, where there are enough
    rest = max(0, count - len(kinds))
    kinds += rng.choices(list(SHARES), list(SHARES.values()), k=rest)
    moments = [rng.uniform(QUIET_START_S, window_s) for _ in kinds]
    faults = [Fault(at_s, kind, rng.getrandbits(32)) for at_s, kind in zip(moments, kinds, strict=True)]
    return sorted(faults, key=lambda fault: fault.at_s)
