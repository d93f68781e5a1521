"""What the routes work with; put together in `app.py`."""

from dataclasses import dataclass

from fastapi import Request

from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.sessions import Sessions
from services.gateway.dead_letters.office import DeadLetterOffice
from services.gateway.jobs.admission import Admission
from services.gateway.jobs.ends import Ends
from services.gateway.jobs.lifecycle import Lifecycle
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.submission import Submissions
from services.gateway.jobs.wakeups import Wakeups
from services.gateway.settings import GatewaySettings
from shared.storage import ObjectStore


@dataclass(frozen=True)
class Gateway:
    """The gateway's use cases and adapters."""

    settings: GatewaySettings
    store: ObjectStore
    read_model: ReadModel
    outlook: Outlook
    admission: Admission
    submissions: Submissions
    lifecycle: Lifecycle
    ends: Ends
    dead_letters: DeadLetterOffice
    keys: ApiKeys
    sessions: Sessions
    wakeups: Wakeups


def gateway(request: Request) -> Gateway:
    """The parts of the application that serves `request`."""
    parts: Gateway = request.app.state.gateway
    return parts
