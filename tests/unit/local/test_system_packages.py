"""What is missing is found, mapped to packages, and installed without leaving a trace beside them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import system_packages
from deploy.local.system_packages import (
    APT_SCRIPT,
    Need,
    advice,
    distribution_id,
    install_command,
    main,
    needs,
    packages,
    rabbitmq_homes,
    version_of,
)

SCRIPT = Path(system_packages.__file__)


def absent(name: str, apt: str, brew: str = "") -> Need:
    return Need(name, lambda: False, apt, brew or apt)


def make_program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_names_differ_between_distributions():
    def browser(distribution):
        return {need.name: need.apt for need in needs(distribution)}["chromium"]

    assert (browser("debian"), browser("ubuntu")) == ("chromium", "chromium-browser")


def test_a_package_is_named_once():
    both = [
        absent("ffprobe", "ffmpeg"),
        absent("ffmpeg", "ffmpeg"),
        absent("rabbitmq-server", "rabbitmq-server", "rabbitmq"),
    ]
    assert packages(both, "apt") == ["ffmpeg", "rabbitmq-server"]
    assert packages(both, "brew") == ["ffmpeg", "rabbitmq"]


def test_distribution_is_read(tmp_path):
    (tmp_path / "release").write_text('NAME="Ubuntu"\nVERSION_ID="24.04"\nID="ubuntu"\nID_LIKE=debian\n')
    assert distribution_id(tmp_path / "release") == "ubuntu"
    assert distribution_id(tmp_path / "none") == ""


def test_versions_sort_by_number(tmp_path, monkeypatch):
    monkeypatch.delenv("RABBITMQ_SERVER_HOME", raising=False)
    for version in ("3.9.11", "3.10.8", "4.1.0"):
        make_program(tmp_path / f"rabbitmq_server-{version}", "x")
        make_program(tmp_path / f"rabbitmq_server-{version}" / "sbin", "rabbitmq-server")
    (tmp_path / "rabbitmq_server-9.9").mkdir()  # removed, but for its folder
    found = [version_of(home) for home in rabbitmq_homes([str(tmp_path / "rabbitmq_server-*")])]
    assert found == [(4, 1, 0), (3, 10, 8), (3, 9, 11)]


def test_the_named_server_goes_before_all(tmp_path, monkeypatch):
    make_program(tmp_path / "sbin", "rabbitmq-server")
    monkeypatch.setenv("RABBITMQ_SERVER_HOME", str(tmp_path))
    assert list(rabbitmq_homes()) == [tmp_path]
    monkeypatch.setenv("RABBITMQ_SERVER_HOME", str(tmp_path / "gone"))
    assert list(rabbitmq_homes()) == []


def test_a_broker_elsewhere_needs_no_server_here(monkeypatch):
    monkeypatch.setenv("RABBITMQ_SERVER_HOME", "/gone")
    monkeypatch.delenv("LECTERN_AMQP_URL", raising=False)
    assert not system_packages.broker_present()
    monkeypatch.setenv("LECTERN_AMQP_URL", "amqp://elsewhere/")
    assert system_packages.broker_present()


def test_everything_missing_is_told_with_the_command(programs, monkeypatch, capsys):
    monkeypatch.setenv("RABBITMQ_SERVER_HOME", "/gone")
    monkeypatch.delenv("LECTERN_AMQP_URL", raising=False)
    make_program(programs, "apt-get")
    assert main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "sudo apt-get install ffmpeg" in told
    assert "chromium" not in told
    assert main(["--check", "--with-tests"]) == 1
    assert "chromium" in capsys.readouterr().err


def test_root_runs_the_script_itself(programs, monkeypatch):
    make_program(programs, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_command([absent("git", "git")]) == ["sh", "-c", APT_SCRIPT, "sh", system_packages.POLICY, "git"]


@pytest.mark.parametrize(
    ("sudo_asks", "terminal", "expected"),
    [(False, False, ["sudo", "-n"]), (True, True, ["sudo"]), (True, False, None)],
)
def test_others_use_sudo_if_it_can_be_had(programs, monkeypatch, sudo_asks, terminal, expected):
    make_program(programs, "apt-get")
    make_program(programs, "sudo", f"exit {int(sudo_asks)}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    command = install_command([absent("git", "git")])
    assert command is None if expected is None else command[: len(expected)] == expected


def test_without_sudo_it_prints_and_fails(programs, monkeypatch, capsys):
    make_program(programs, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["--install"]) == 1
    assert "sudo apt-get install" in capsys.readouterr().err


def test_brew_is_used_where_there_is_no_apt(programs):
    make_program(programs, "brew")
    assert install_command([absent("broker", "rabbitmq-server", "rabbitmq")]) == ["brew", "install", "rabbitmq"]


def test_advice_without_any_manager_names_the_packages(programs, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert "rabbitmq-server" in advice([absent("broker", "rabbitmq-server", "rabbitmq")])


class TestAptScript:
    def run(self, programs: Path, policy: Path, *, install: str = "exit 0") -> subprocess.CompletedProcess[str]:
        log = programs.parent / "calls"
        body = (
            f'echo "$* policy=$(cat {policy} 2>/dev/null | tail -1)" >> {log}; case "$*" in *install*) {install};; esac'
        )
        make_program(programs, "apt-get", body)
        make_program(programs, "systemctl", f'echo "systemctl $*" >> {log}')
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        return subprocess.run(
            ["sh", "-c", APT_SCRIPT, "sh", str(policy), "ffmpeg", "rabbitmq-server"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, programs):
        return (programs.parent / "calls").read_text().splitlines()

    def test_no_service_is_started_and_nothing_stays(self, programs, tmp_path):
        policy = tmp_path / "policy-rc.d"
        assert self.run(programs, policy).returncode == 0
        update, install, disable = self.calls(programs)
        assert "update policy=exit 101" in update
        assert install.endswith("install ffmpeg rabbitmq-server policy=exit 101")
        assert disable == "systemctl disable rabbitmq-server.service"
        assert not policy.exists()

    def test_nothing_stays_when_the_installation_fails(self, programs, tmp_path):
        policy = tmp_path / "policy-rc.d"
        assert self.run(programs, policy, install="exit 100").returncode == 100
        assert not policy.exists()

    def test_a_policy_of_the_machine_is_left_alone(self, programs, tmp_path):
        policy = make_program(tmp_path, "policy-rc.d", "exit 101")
        before = (policy.read_text(), stat.S_IMODE(policy.stat().st_mode))
        assert self.run(programs, policy).returncode == 0
        assert (policy.read_text(), stat.S_IMODE(policy.stat().st_mode)) == before

    def test_stale_lists_do_not_stop_it(self, programs, tmp_path):
        ran = self.run(programs, tmp_path / "policy", install="exit 0")
        assert ran.returncode == 0
        make_program(programs, "apt-get", 'case "$*" in *update*) exit 100;; esac')
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        command = ["sh", "-c", APT_SCRIPT, "sh", str(tmp_path / "policy"), "git"]
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def test_it_runs_with_nothing_but_the_standard_library():
    command = [sys.executable, "-I", "-S", str(SCRIPT), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode in {0, 1}
    assert "Traceback" not in ran.stderr
