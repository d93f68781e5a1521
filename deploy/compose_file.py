"""What `compose.yaml` must keep to, beyond its own specification: facts that it shares with the code."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from compose_spec import PyOptions
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from deploy.local.services import SERVICES, ServiceProgram
from deploy.settings_classes import SETTINGS_OF, SharedSettings, prefix_of, variables

Service = dict[str, Any]

# Stands for a value that has to be given from outside; long enough for every setting's own rules.
GIVEN = "given-from-outside-0123456789"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
_PINNED = re.compile(r":v?\d+\.\d+\.?\d*(-[\w.]+)?(@sha256:[0-9a-f]{64})?$")
_SECRET = re.compile(r"PASS|SECRET|BOOTSTRAP_KEY|TOKEN")
_LOGIN = re.compile(r"://[^/@]*:(?P<password>[^/@]*)@")
_SIZE = re.compile(r"(?P<number>\d+)(?P<unit>[mg])b?")
# A service without its engines has about 120 MB; an engine is looked at ten times a second and may grow in between.
SERVICE_MB = 300
_EXAMPLE = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*)=", re.MULTILINE)


def interpolated(text: str) -> str:
    """The file as Docker Compose would read it: defaults filled in, `GIVEN` for whatever must be given."""
    return _VARIABLE.sub(lambda found: found["rest"] if found["kind"] == "-" else GIVEN, text)


def parse(text: str) -> dict[str, Any]:
    """The file's content by the Compose specification. Raises ValueError for what it does not allow."""
    project = PyOptions(apply_merge=True).from_yaml(interpolated(text))
    project.validate()
    project.validate_networks()
    project.validate_volumes()
    project.to_spec()
    content: dict[str, Any] = project.to_dict()
    return content


def faults(text: str, example: str) -> list[str]:
    """What is wrong with the compose file `text` and its `.env.example`, one sentence each."""
    try:
        content = parse(text)
    except ValueError as error:
        return [f"not a compose file: {error}"]
    services: dict[str, Service] = content["services"]
    found = [*_faults_of_names(content), *_faults_of_variables(text, example)]
    for name, service in services.items():
        found += [f"{name}: {fault}" for rule in RULES for fault in rule(name, service)]
    for program in SERVICES:
        if program.name in services:
            found += [f"{program.name}: {fault}" for fault in _faults_of_our_own(program, services[program.name])]
        else:
            found.append(f"{program.name}: this service of the system has no entry")
    return found


def _faults_of_names(content: dict[str, Any]) -> Iterator[str]:
    """Names that lead nowhere, which the specification's own checks let through."""
    services, volumes = content["services"], content.get("volumes") or {}
    used = set()
    for name, service in services.items():
        for needed in service.get("depends_on", ()):
            if needed not in services:
                yield f"{name}: depends on {needed}, which does not exist"
        mounted = {str(volume).partition(":")[0] for volume in service.get("volumes", ())}
        named = {volume for volume in mounted if not volume.startswith((".", "/"))}
        yield from (f"{name}: the volume {volume} is not declared" for volume in sorted(named - set(volumes)))
        used |= named
    yield from (f"the volume {volume} is not used" for volume in sorted(set(volumes) - used))


def _faults_of_variables(text: str, example: str) -> Iterator[str]:
    used = {found["name"] for found in _VARIABLE.finditer(text)}
    explained = {found["name"] for found in _EXAMPLE.finditer(example)}
    yield from (f".env.example does not name {name}" for name in sorted(used - explained))
    yield from (f".env.example names {name}, which nothing reads" for name in sorted(explained - used))
    for found in _VARIABLE.finditer(text):
        if found["kind"] is None or (found["kind"] == "?" and not found["rest"]):
            yield f"${{{found['name']}}} does not say what to do when it is missing"


def _image_is_pinned(_name: str, service: Service) -> Iterator[str]:
    image = str(service.get("image", ""))
    if not _PINNED.search(image):
        yield f"the image {image!r} has no exact tag"


def _health_is_checked(_name: str, service: Service) -> Iterator[str]:
    if not service.get("healthcheck", {}).get("test"):
        yield "there is no health check"


def _resources_are_bounded(_name: str, service: Service) -> Iterator[str]:
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    yield from (f"there is no limit of {what}" for what in ("cpus", "memory") if what not in limits)


def _comes_back(_name: str, service: Service) -> Iterator[str]:
    if service.get("restart") != "unless-stopped":
        yield "it does not come back after a crash"


def _gains_no_rights(_name: str, service: Service) -> Iterator[str]:
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "it may gain privileges"
    yield from (f"it has {what}" for what in ("privileged", "cap_add", "pid", "network_mode") if service.get(what))


def _only_the_gateway_is_published(name: str, service: Service) -> Iterator[str]:
    ports = [str(port) for port in service.get("ports", ())]
    if ports and name != "gateway":
        yield f"it is published: {ports}"
    yield from (f"{port} is not bound to the loopback address" for port in ports if not port.startswith("127.0.0.1:"))


def _secrets_come_from_outside(_name: str, service: Service) -> Iterator[str]:
    for variable, value in service.get("environment", {}).items():
        login = _LOGIN.search(str(value))
        written = _SECRET.search(variable) and str(value) != GIVEN
        if written or (login is not None and login["password"] != GIVEN):
            yield f"{variable} holds a secret"


RULES: tuple[Callable[[str, Service], Iterator[str]], ...] = (
    _image_is_pinned,
    _health_is_checked,
    _resources_are_bounded,
    _comes_back,
    _gains_no_rights,
    _only_the_gateway_is_published,
    _secrets_come_from_outside,
)


def _faults_of_our_own(program: ServiceProgram, service: Service) -> Iterator[str]:
    """One of the five services: started, asked for its health and set up as the code expects it."""
    environment = {name: str(value) for name, value in service.get("environment", {}).items()}
    if service.get("command") != ["python", "-m", f"services.{program.name}"]:
        yield f"it is started by {service.get('command')}"
    port = environment.get(program.port_variable)
    address = f"http://127.0.0.1:{port}/health/ready'"
    if port is None or not any(address in part for part in service.get("healthcheck", {}).get("test", ())):
        yield f"its health is not asked for at the port in {program.port_variable}"
    if not service.get("read_only") or service.get("cap_drop") != ["ALL"]:
        yield "its file system is not read-only, or it keeps capabilities"
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        yield "its traces go nowhere"
    url = environment.get("LECTERN_MONGO_URL", "")
    if f"//{program.name}:" not in url or not url.endswith(f"authSource=lectern_{program.name}"):
        yield "it does not log in to its own database as a user of its own"
    yield from _faults_of_settings(program.name, environment)
    yield from _faults_of_memory(program.name, service, environment)


def _faults_of_memory(name: str, service: Service, environment: dict[str, str]) -> Iterator[str]:
    """An engine has to meet its own limit first: the container's would end the service with it, without a word."""
    own = dict(_values(SETTINGS_OF[name], environment))
    # Of the engines that have one limit, some run more than once.
    at_once = {"memory_mb": int(own.get("preparations", 1)), "pages_memory_mb": 2}
    engines = [int(value) * at_once.get(kind, 1) for kind, value in own.items() if kind.endswith("memory_mb")]
    total = dict(_values(SharedSettings, environment))["engine_total_mb"]
    limit = str(service.get("deploy", {}).get("resources", {}).get("limits", {}).get("memory", ""))
    size = _SIZE.fullmatch(limit)
    if not engines or size is None:
        return
    allowed_mb = int(size["number"]) * (1024 if size["unit"] == "g" else 1)
    needed_mb = min(int(total), sum(engines)) + SERVICE_MB
    if allowed_mb < needed_mb:
        yield f"its engines may take more memory than its container has: {needed_mb} MB with the service's own"


def _values(kind: type[BaseSettings], environment: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The settings of a class by the names of their fields, as the container has them."""
    for variable in variables(kind):
        yield variable.field, environment.get(variable.name, kind.model_fields[variable.field].default)


def _faults_of_settings(service: str, environment: dict[str, str]) -> Iterator[str]:
    known = set()
    kinds: tuple[type[BaseSettings], ...] = (SharedSettings, SETTINGS_OF[service])
    for kind in kinds:
        values = {v.field: environment[v.name] for v in variables(kind) if v.name in environment}
        known |= {v.name for v in variables(kind)}
        try:
            kind.model_validate(values)
        except ValidationError as error:
            for fault in error.errors(include_input=False, include_url=False):
                yield f"{prefix_of(kind)}{str(fault['loc'][0]).upper()}: {fault['msg']}"
    ours = (prefix_of(SharedSettings), *(prefix_of(kind) for kind in SETTINGS_OF.values()))
    for name in sorted(environment):
        if name.startswith(ours) and name not in known:
            yield f"there is no setting {name} of this service"
