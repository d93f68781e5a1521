"""Query parameters that an address does not know are refused: a misspelt filter is no filter at all."""

from http import HTTPStatus

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from services.gateway.problems import FieldFault, ProblemError

_SHOWN = 50


class KnownQuery:
    """A dependency of every route. Raises ProblemError that names the unknown parameters and those that there are."""

    def __init__(self) -> None:
        self._known: dict[object, list[str]] = {}

    async def __call__(self, request: Request) -> None:
        """Check the query of `request`."""
        if not request.query_params:
            return
        known = self._names(request)
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise _refusal(unknown, known)

    def _names(self, request: Request) -> list[str]:
        if not self._known:
            for route in iter_route_contexts(request.app.routes):
                if (dependant := getattr(route, "dependant", None)) is not None:
                    self._known[route.endpoint] = sorted(_query_of(dependant))
        return self._known[request.scope["endpoint"]]


def _query_of(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*map(_query_of, dependant.dependencies))


def _refusal(unknown: list[str], known: list[str]) -> ProblemError:
    there_are = f"Those that there are: {', '.join(known)}." if known else "This address takes none."
    faults = [
        FieldFault(field=f"query.{name[:_SHOWN]}", message=f"There is no such query parameter. {there_are}")
        for name in unknown[:10]
    ]
    detail = f"There is no query parameter {unknown[0][:_SHOWN]!r} here. {there_are}"
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=faults)
