"""Analysis without a language model: extractive, deterministic, honest about it."""

from services.analysis.offline.engine import OfflineEngine, analyse

__all__ = ["OfflineEngine", "analyse"]
