"""Accounts of several owners: each with an API key of its own, and one who only ever sends events."""

import itertools
import random
from collections.abc import Mapping
from typing import Any

from tests.chaos.cases import LOCAL
from tests.chaos.clients import Account
from tests.chaos.connections import Connections

OFTEN = (LOCAL, "ana", "ben+lectures@example.org")
SELDOM = "dora"
KEYED = (*OFTEN, SELDOM)
# Without a key during the run: what they submit by events is only looked at afterwards.
KEYLESS = "carla"
LOOKED_AT = 4


class Owners:
    """The accounts by owner. The administrator's, which is that of LOCAL, makes the keys of the others."""

    def __init__(self, connections: Connections, bootstrap_key: str) -> None:
        self._connections = connections
        self.administrator = Account(connections, LOCAL, bootstrap_key)
        self.accounts: dict[str, Account] = {LOCAL: self.administrator}

    async def open(self, *owners: str) -> None:
        """Make a key for each owner who has none. Raises RuntimeError when that cannot be had."""
        for owner in owners:
            if owner in self.accounts:
                continue
            body = {"name": "chaos", "owner": owner}
            answer = await self.administrator.ask("POST", "/v1/keys", json=body)
            if answer is None or answer.status_code != 201:
                raise RuntimeError(f"no key for {owner}: {answer.text if answer is not None else 'no answer'}")
            self.accounts[owner] = Account(self._connections, owner, answer.json()["key"], self.administrator)

    async def all_jobs(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Every job by owner and id."""
        return {
            owner: {job["job_id"]: job for job in await account.all_jobs()} for owner, account in self.accounts.items()
        }

    async def open_jobs(self) -> list[str]:
        """Ids of all jobs that have not ended."""
        return [job_id for account in self.accounts.values() for job_id in await account.open_jobs()]


async def separation_findings(
    owners: Owners, jobs: Mapping[str, Mapping[str, dict[str, Any]]], rng: random.Random
) -> list[str]:
    """Whether somebody can see or change what is another's, or do what is an administrator's. Call it at the end."""
    found = []
    for account in owners.accounts.values():
        for other in owners.accounts:
            theirs = [job for job in jobs.get(other, {}).values() if other != account.owner]
            for job in rng.sample(theirs, min(LOOKED_AT, len(theirs))):
                found += await _reached(account, job)
        if account is not owners.administrator:
            found += await _administered(account)
    return found


async def _reached(account: Account, job: dict[str, Any]) -> list[str]:
    path = f"/v1/jobs/{job['job_id']}"
    name = next((artifact["name"] for artifact in job["artifacts"]), "handout.pdf")
    requests = [("GET", path), ("GET", f"{path}/events"), ("GET", f"{path}/artifacts/{name}")]
    requests += [("POST", f"{path}/cancel"), ("POST", f"{path}/retry"), ("DELETE", path)]
    return [
        f"{account.owner} has {_status(answer)} for {method} {asked}, which is another's"
        for method, asked in requests
        if _status(answer := await account.ask(method, asked)) != "404"
    ]


async def _administered(account: Account) -> list[str]:
    return [
        f"{account.owner} has {_status(answer)} for {path}, which is for administrators"
        for path in ("/v1/dead-letters", "/v1/keys")
        if _status(answer := await account.ask("GET", path)) != "403"
    ]


def _status(answer: Any) -> str:
    return "no answer" if answer is None else str(answer.status_code)


def shared_findings(listed: Mapping[str, set[str]]) -> list[str]:
    """Whether a job was ever listed for two owners. `listed`: the ids that each owner's lists showed."""
    return [
        f"job {job_id} was listed for {one} and for {other}"
        for (one, first), (other, second) in itertools.combinations(sorted(listed.items()), 2)
        for job_id in sorted(first & second)
    ]
