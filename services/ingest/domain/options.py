"""How ingest cuts."""

from services.ingest.domain.values import Limits
from shared.documents import Value


class CuttingOptions(Value):
    """Limits, and how large units are."""

    limits: Limits
    slide_range_s: float
    pages_per_unit: int
    scans_per_unit: int = 3
