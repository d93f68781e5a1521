"""Reads the text of a slide's picture with the models inside the rapidocr wheel."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from services.transcription.slides.values import TextLine
from shared.errors import EngineError

MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
DETECTION_SIDE = 736  # pixels of the longer side, where lines are looked for; they are read from the full picture


def read_slide(picture: Path, width: int, height: int, threads: int) -> tuple[TextLine, ...]:
    """The lines of text in a picture of a slide. EngineError when the models are missing or fail."""
    result = _run(_engine(threads), picture)
    if result.txts is None or result.boxes is None:
        return ()
    lines = (
        TextLine(
            " ".join(text.split()),
            round(float(box[:, 0].min()) / width, 4),
            round(float(box[:, 1].min()) / height, 4),
            round(float(box[:, 0].max()) / width, 4),
            round(float(box[:, 1].max()) / height, 4),
        )
        for text, box in zip(result.txts, result.boxes, strict=True)
    )
    return tuple(line for line in lines if line.text)


def _run(engine: Any, picture: Path) -> Any:
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError  # noqa: PLC0415 - loading takes 2 s

    try:
        return engine(str(picture))
    except (ONNXRuntimeError, MemoryError) as error:
        raise EngineError(f"text recognition failed: {error}") from error


@lru_cache(maxsize=1)
def _engine(threads: int) -> Any:
    """The one engine of this process. Naming the models' files keeps it from ever fetching any."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise EngineError("rapidocr is not installed")
    folder = Path(spec.origin).parent / "models"
    missing = [name for name in MODELS.values() if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"rapidocr came without its models: {', '.join(missing)}")
    from rapidocr import RapidOCR  # noqa: PLC0415 - loading takes 2 s: only where a slide is read

    parameters = {f"{task}.model_path": str(folder / name) for task, name in MODELS.items()} | {
        "Global.log_level": "error",
        "Global.use_cls": False,  # slides stand upright
        "Det.limit_type": "max",
        "Det.limit_side_len": DETECTION_SIDE,
        "Rec.rec_batch_num": 1,  # a batch is padded to its longest line: no faster, and more memory
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidOCR(params=parameters)
