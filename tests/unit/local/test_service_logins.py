"""Which services there are, and the login that each has at the database."""

from deploy.local.services import SERVICES
from deploy.local.supervisor import Options, Supervisor

NOWHERE = {"amqp_url": "amqp://elsewhere/", "mongo_url": "mongodb://elsewhere/"}


def test_the_five_services_and_their_ports():
    assert {program.name: program.port_variable for program in SERVICES} == {
        "gateway": "GATEWAY_PORT",
        "ingest": "INGEST_HEALTH_PORT",
        "transcription": "TRANSCRIPTION_HEALTH_PORT",
        "analysis": "ANALYSIS_HEALTH_PORT",
        "rendering": "RENDERING_HEALTH_PORT",
    }
    assert [program.name for program in SERVICES if program.front] == ["gateway"]


def test_each_service_has_a_login_of_its_own_on_the_private_database(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTERN_MONGO_PREFIX", "mine")
    system = Supervisor(tmp_path / "home", Options(amqp_url=NOWHERE["amqp_url"]))
    system._stores()
    urls = {service.name: service._environment["LECTERN_MONGO_URL"] for service in system._services()}
    assert set(urls) == {program.name for program in SERVICES}
    logins = {url.partition("@")[0] for url in (*urls.values(), system.mongo_url)}
    assert len(logins) == len(SERVICES) + 1, "nobody has the supervisor's, and no two have the same"
    assert {f"mine_{name}.json" for name in urls} <= {path.name for path in (tmp_path / "home/database").iterdir()}


def test_a_database_that_was_named_is_used_with_the_login_that_was_given(tmp_path):
    (tmp_path / "home").mkdir()
    system = Supervisor(tmp_path / "home", Options(**NOWHERE))
    system._stores()
    urls = {service._environment["LECTERN_MONGO_URL"] for service in system._services()}
    assert urls == {NOWHERE["mongo_url"]}
