"""What OpenAPI says of `/v1/jobs` beyond what the routes' types say: forms, files, streams."""

from typing import Any

from shared.events import PRODUCTS

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A recording (video or audio) or a PDF.",
                        },
                        "paper": {
                            "type": "string",
                            "enum": ["a4", "us-letter"],
                            "default": "a4",
                            "description": "Paper size of the PDF.",
                        },
                        "language": {
                            "type": "string",
                            "pattern": "^([a-z]{2,3})?$",
                            "default": "en",
                            "description": "Of what is said, ISO 639. One that no engine here knows is refused. "
                            "Empty: as if it were not sent.",
                        },
                        "unit_s": {
                            "type": "integer",
                            "minimum": 30,
                            "maximum": 1200,
                            "default": 300,
                            "description": "Length of the pieces that speech is recognised in, in seconds, about.",
                        },
                        "required": {
                            "type": "string",
                            "default": "pdf",
                            "description": "Products without which the job fails, separated by commas: "
                            f"{', '.join(PRODUCTS)}. Others that cannot be made leave it `partial`.",
                        },
                    },
                },
                "example": {"file": "week-3.mp4", "paper": "a4", "language": "en"},
            }
        },
    }
}
ACCEPTED: dict[str, Any] = {
    "description": "The job, as it stands.",
    "headers": {
        "Location": {"description": "Where to follow the job.", "schema": {"type": "string"}},
        "Idempotent-Replayed": {
            "description": "`true` where the same `Idempotency-Key` was sent before: the job is that of then.",
            "schema": {"type": "string"},
        },
    },
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/octet-stream": {"schema": {"format": "binary"}}}},
    206: {"description": "The range that was asked for."},
    304: {"description": "The caller has this file already."},
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `job` with a whole Job each; their id is its `revision`.",
        "content": {
            "text/event-stream": {"example": 'id: 6\nevent: job\ndata: {"job_id": "...", "status": "running"}\n\n'}
        },
    },
    204: {"description": "The job has ended and `Last-Event-ID` names its last event: do not reconnect."},
}
