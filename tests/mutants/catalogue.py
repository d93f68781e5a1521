"""The mutants: each loses, doubles or leaks something without a word, so a test has to speak up."""

from tests.mutants.mutant import Mutant
from tests.mutants.of_strangers import ENGINES, GATEWAY
from tests.mutants.of_work import CHECKPOINTS, DELIVERY, EVENTS_OF_OTHERS, READINESS, STORAGE

MUTANTS: tuple[Mutant, ...] = (*DELIVERY, *EVENTS_OF_OTHERS, *CHECKPOINTS, *STORAGE, *GATEWAY, *ENGINES, *READINESS)
