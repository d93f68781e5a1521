"""Mutants of what stands between strangers and others' work: each leaks or stops something without a word."""

from tests.mutants.mutant import Change, Mutant

_FIRST_KEY_TESTS = "tests/integration/gateway/test_gateway_first_key.py"
_KEY_TESTS = "tests/integration/gateway/test_gateway_keys.py"
_ACCESS_TESTS = "tests/integration/gateway/test_gateway_access.py"
_JOB_TESTS = "tests/integration/gateway/test_gateway_jobs.py"
_LIFECYCLE_TESTS = "tests/integration/gateway/test_gateway_lifecycle.py"
_PROCESS_TESTS = "tests/integration/gateway/test_gateway_process.py"
_LIMIT_TESTS = "tests/unit/shared/test_engine_limits.py"

GATEWAY = (
    Mutant(
        "sweeper-never-runs",
        "Jobs that a killed gateway had accepted wait for ever",
        (Change("services/gateway/app.py", "    parts.run_in_background(_sweeper(parts, gateway).run())\n", ""),),
        (f"{_PROCESS_TESTS}::test_what_a_killed_gateway_had_accepted_is_published_by_the_next",),
    ),
    Mutant(
        "ends-untold",
        "Other systems wait for ever for the end of a job whose gateway was killed",
        (
            Change(
                "services/gateway/jobs/sweeper.py",
                "            await self._ends.tell(document)\n",
                "            pass\n",
            ),
        ),
        (f"{_LIFECYCLE_TESTS}::test_a_silent_job_is_published_again_and_in_the_end_fails",),
    ),
    Mutant(
        "projection-forgets-units",
        "The progress of every job stands still",
        (
            Change(
                "services/gateway/jobs/facts.py",
                '    return Addition(\n        members={f"facts.finished.{event.stage}": event.unit}, maxima',
                "    return Addition(\n        maxima",
            ),
        ),
        ("tests/unit/gateway/test_read_model_order.py",),
    ),
    Mutant(
        "jobs-of-others",
        "Everybody reads everybody's lectures",
        (
            Change(
                "services/gateway/jobs/read_model.py",
                'return self.shown(document) if document and document.get("owner") == owner else None',
                "return self.shown(document) if document else None",
            ),
        ),
        (_JOB_TESTS, _LIFECYCLE_TESTS),
    ),
    Mutant(
        "files-of-others",
        "Everybody downloads everybody's handouts",
        (
            Change(
                "services/gateway/jobs/read_model.py",
                'if document is None or document.get("owner") != owner:\n            return None\n        for artifact',
                "if document is None:\n            return None\n        for artifact",
            ),
        ),
        (_JOB_TESTS, f"{_ACCESS_TESTS}::test_files_of_others_do_not_exist"),
    ),
    Mutant(
        "everybody-is-administrator",
        "A student purges dead letters",
        (Change("services/gateway/auth/guard.py", "if not found.administrator:", "if False:"),),
        ("tests/integration/gateway/dead_letters/test_dead_letter_listing.py::test_only_an_administrator_may",),
    ),
    Mutant(
        "forged-requests",
        "Another site deletes the jobs of whoever looks at it",
        (
            Change(
                "services/gateway/auth/guard.py",
                "if token is None or not hmac.compare_digest(token.encode(), session.csrf_token.encode()):",
                "if False:",
            ),
        ),
        (f"{_ACCESS_TESTS}::test_forged_requests_are_refused",),
    ),
    Mutant(
        "sessions-without-end",
        "A forgotten browser stays signed in for ever",
        (
            Change(
                "services/gateway/auth/sessions.py",
                'if found is None or found["expires_at"] <= datetime.now(UTC):',
                "if found is None:",
            ),
        ),
        (f"{_ACCESS_TESTS}::test_expired_sessions_and_links_are_refused",),
    ),
)

ENGINES = (
    Mutant(
        "engines-know-logins",
        "A lecture that breaks a decoder reads everybody's jobs",
        (Change("shared/engine_line.py", "env=clean_environment(os.environ),", "env=dict(os.environ),"),),
        (f"{_LIMIT_TESTS}::test_no_login_is_in_the_environment_of_an_engine_or_of_its_programs",),
    ),
    Mutant(
        "engines-with-network",
        "A lecture that breaks a decoder reads what stands on the university's own network",
        (Change("shared/engine_limits.py", "    alone = _leave_network()\n", "    alone = False\n"),),
        (_LIMIT_TESTS,),
    ),
    Mutant(
        "one-login-for-all-services",
        "A service that is taken over reads and deletes what all others keep",
        (
            Change(
                "deploy/local/supervisor.py",
                "self._database.url_for(self._database_of(program))",
                "self._database.url",
            ),
        ),
        ("tests/unit/local/test_service_logins.py::test_each_service_has_a_login_of_its_own_on_the_private_database",),
    ),
    Mutant(
        "everybody-waits-for-a-slow-page",
        "One page without an end holds up everybody's documents",
        (
            Change(
                "services/transcription/adapters/page_engine.py",
                "_Reader(process, TimeLimits.of(min(times.quick_s, times.page_s)))",
                "_Reader(process, TimeLimits.of(times.page_s))",
            ),
        ),
        ("tests/unit/transcription/test_missing_units.py::test_nobody_waits_for_a_page_that_takes_long",),
    ),
    Mutant(
        "engines-without-a-bound",
        "A small PDF takes all memory of the machine",
        (Change("shared/engine_limits.py", "        _lower(resource.RLIMIT_DATA, limits.data_bytes)\n", ""),),
        (f"{_LIMIT_TESTS}::test_one_great_piece_of_memory_is_refused_by_the_kernel",),
    ),
    Mutant(
        "request-without-limit",
        "A request without a key stops the gateway for everybody",
        (
            Change(
                "services/gateway/body_limits.py",
                "limit = body_limit(method, path, settings.max_upload_bytes)",
                "limit = 1 << 40",
            ),
        ),
        ("tests/integration/gateway/test_gateway_requests.py::test_bodies_are_limited_by_route",),
    ),
    Mutant(
        "revoked-keys-work",
        "A key that was revoked opens everything as before",
        (Change("services/gateway/auth/keys.py", "return revoked_at(document) is None and (", "return ("),),
        (
            f"{_KEY_TESTS}::test_a_revoked_key_is_refused_at_once_everywhere",
            f"{_FIRST_KEY_TESTS}::test_another_first_key_revokes_the_one_before",
        ),
    ),
)
