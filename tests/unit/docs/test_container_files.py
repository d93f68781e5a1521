"""The container files keep to their own formats and to the code; and the check that says so can fail (OPS-7)."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.check_files import COMPOSE, ENV_EXAMPLE, compose_faults, dockerfile_faults
from deploy.compose_file import faults, parse
from deploy.local.services import SERVICES

TEXT = COMPOSE.read_text()
EXAMPLE = ENV_EXAMPLE.read_text()


def test_the_compose_file_has_no_fault() -> None:
    assert compose_faults() == []


def test_the_dockerfile_has_no_fault() -> None:
    assert dockerfile_faults() == []


def test_the_image_holds_no_gpl_database() -> None:
    text = (COMPOSE.parent / "deploy" / "Dockerfile").read_text()
    assert "!/^secantusdb==/" in text
    assert "requirements-dev" not in text


def test_a_bad_dockerfile_is_found(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /tmp && sudo ls\n")
    assert {fault.split()[1] for fault in dockerfile_faults(bad)} >= {"DL3007", "DL3004"}


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("restart: unless-stopped", "restrt: always", "not a compose file"),
        ("networks: [inside, outside]", "networks: [elsewhere]", "not a compose file"),
        ("broker: {condition", "brokr: {condition", "depends on brokr, which does not exist"),
        ("objects-data:/data", "object-data:/data", "the volume object-data is not declared"),
        ("objects-data:/data", "/data", "the volume objects-data is not used"),
        ("mongo:8.0.17", "mongo:latest", "database: the image 'mongo:latest' has no exact tag"),
        ("mongo:8.0.17", "mongo:8", "database: the image 'mongo:8' has no exact tag"),
        ("${MONGO_PASSWORD:?copy .env.example to .env and give MONGO_PASSWORD}", "hunter2", "holds a secret"),
        (":${RABBITMQ_PASSWORD:?copy .env.example to .env and give RABBITMQ_PASSWORD}@", ":a@", "holds a secret"),
        ("${GATEWAY_ADDRESS:-127.0.0.1}", "0.0.0.0", "is not bound to the loopback address"),
        ("GOMEMLIMIT: 400MiB", "GOMEMLIMIT: 400MiB\n    ports: ['127.0.0.1:1:1']", "traces: it is published"),
        ("INGEST_HEALTH_PORT: ", "INGEST_HEALTH_PROT: ", "there is no setting INGEST_HEALTH_PROT of this service"),
        ('"8103"', '"8113"', "analysis: its health is not asked for at the port in ANALYSIS_HEALTH_PORT"),
        (
            'LECTERN_SHUTDOWN_S: "30"',
            'LECTERN_SHUTDOWN_S: "soon"',
            "LECTERN_SHUTDOWN_S: Input should be a valid number",
        ),
        ("services.rendering", "services.render", "rendering: it is started by"),
        ("  rendering:\n    <<", "  renderer:\n    <<", "rendering: this service of the system has no entry"),
        ('security_opt: ["no-new-privileges:true"]\n    networks', "networks", "broker: it may gain privileges"),
        ("read_only: true\n  tmpfs", "tmpfs", "gateway: its file system is not read-only"),
        ('{limits: {cpus: "4", memory: 4g}}', '{limits: {cpus: "4"}}', "transcription: there is no limit of memory"),
        (
            "healthcheck:\n      # A ping",
            "x-no:\n      # A ping",
            "there is no health check",
        ),
        ("//ingest:$", "//gateway:$", "ingest: it does not log in to its own database as a user of its own"),
        ("authSource=lectern_analysis", "authSource=admin", "analysis: it does not log in to its own database"),
        ("memory: 1536m", "memory: 1400m", "rendering: its engines may take more memory than its container has: 1500"),
        (
            'INGEST_HEALTH_PORT: "',
            'INGEST_MEMORY_MB: "900"\n      INGEST_HEALTH_PORT: "',
            "ingest: its engines may take",
        ),
        ("memory: 4g", "memory: 2g", "transcription: its engines may take more memory"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT: http://traces:4318", 'X: ""', "its traces go nowhere"),
    ],
)
def test_a_fault_of_the_compose_file_is_found(before: str, after: str, fault: str) -> None:
    assert before in TEXT
    found = faults(TEXT.replace(before, after), EXAMPLE)
    assert any(fault in sentence for sentence in found), found


def test_the_example_environment_names_what_is_read_and_nothing_else() -> None:
    assert faults(TEXT, EXAMPLE.replace("S3_SECRET_KEY=", "")) == [".env.example does not name S3_SECRET_KEY"]
    assert faults(TEXT, EXAMPLE + "OLD=\n") == [".env.example names OLD, which nothing reads"]


# What the script of the users does to a database that has the users in `there`, as JSON.
_MONGOSH = """
const calls = [];
const there = JSON.parse(process.argv[2]);
globalThis.db = { getSiblingDB: (name) => ({
  getUser: (user) => (there.includes(user) ? { user } : null),
  createUser: (made) => calls.push(["create", name, made.user, made.pwd, made.roles]),
  updateUser: (user, made) => calls.push(["update", name, user, made.pwd, made.roles]),
}) };
require(process.argv[3]);
console.log(JSON.stringify(calls));
"""


def _users_made(tmp_path: Path, there: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node, which runs the script for MongoDB's shell here, is not installed")
    shell = tmp_path / "mongosh.cjs"
    shell.write_text(_MONGOSH)
    command = [node, str(shell), json.dumps(there), str(COMPOSE.parent / "deploy" / "mongo-users.js")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def test_each_service_s_user_has_rights_on_its_own_database_alone(tmp_path: Path) -> None:
    content = parse(TEXT)["services"]
    assert "./deploy/mongo-users.js:/docker-entrypoint-initdb.d/users.js:ro" in content["database"]["volumes"]
    names = [program.name for program in SERVICES]
    passwords = {f"MONGO_{name.upper()}_PASSWORD": f"secret-of-{name}" for name in names}
    assert set(passwords) <= set(content["database"]["environment"])
    done = _users_made(tmp_path, ["ingest"], passwords)
    assert done.returncode == 0, done.stderr
    for call, name in zip(json.loads(done.stdout), names, strict=True):
        database = f"lectern_{name}"
        assert call[1:] == [database, name, f"secret-of-{name}", [{"role": "readWrite", "db": database}]]
        assert call[0] == ("update" if name == "ingest" else "create")
    missing = _users_made(tmp_path, [], passwords | {"MONGO_ANALYSIS_PASSWORD": ""})
    assert missing.returncode
    assert "MONGO_ANALYSIS_PASSWORD is not set" in missing.stderr


def test_only_the_gateway_and_the_traces_touch_the_outer_network() -> None:
    content = parse(TEXT)
    assert content["networks"]["inside"]["internal"] is True
    outer = {name for name, service in content["services"].items() if "outside" in service["networks"]}
    assert outer == {"gateway", "traces"}


@pytest.mark.skipif(shutil.which("node") is None, reason="reads JavaScript with node")
def test_the_database_s_health_is_a_write_and_a_read_of_the_majority(tmp_path: Path) -> None:
    test = yaml.safe_load(TEXT)["services"]["database"]["healthcheck"]["test"]
    command = shlex.split(test[1].replace("$$", "$"))
    script = tmp_path / "health.js"
    # What the image's shell offers to a script, as far as it is used.
    script.write_text(
        "const said = [], db = {getSiblingDB: (name) => ({auth: (...login) => said.push([name, ...login])}), "
        "checks: {updateOne: (...all) => said.push(all), find: (query) => "
        "({readConcern: (level) => ({hasNext: () => said.push([query, level]) > 0})})}};"
        "const quit = (status) => { console.log(JSON.stringify([status, said])) };" + command[-1]
    )
    login = {"MONGO_INITDB_ROOT_USERNAME": "root", "MONGO_INITDB_ROOT_PASSWORD": "secret-of-root"}
    environment = {"PATH": os.environ["PATH"], **login}
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=True, env=environment)
    status, (authenticated, written, read) = json.loads(done.stdout)
    assert status == 0
    assert authenticated == ["admin", "root", "secret-of-root"]
    assert "MONGO" not in " ".join(command[:-1]), "arguments of a program are seen by every other"
    assert written[1] == {"$set": {"at": read[0]["at"]}}
    assert written[2]["writeConcern"] == {"w": "majority", "j": True, "wtimeout": 10000}
    assert read[1] == "majority"
