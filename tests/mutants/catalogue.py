"""The mutants: each loses, doubles or leaks something without a word, so a test has to speak up."""

from tests.mutants.mutant import Change, Mutant

_CHECK_TESTS = "tests/integration/shared/test_checks.py"
_CHECKPOINT_TESTS = "tests/integration/shared/test_checkpoints.py"
_CONSUMER_TESTS = "tests/integration/shared/test_consumers.py"
_DELIVERY_TESTS = "tests/integration/shared/test_delivery.py"
_KEY_TESTS = "tests/integration/gateway/test_gateway_keys.py"
_ACCESS_TESTS = "tests/integration/gateway/test_gateway_access.py"
_JOB_TESTS = "tests/integration/gateway/test_gateway_jobs.py"
_LIFECYCLE_TESTS = "tests/integration/gateway/test_gateway_lifecycle.py"
_PROCESS_TESTS = "tests/integration/gateway/test_gateway_process.py"
_LIMIT_TESTS = "tests/unit/shared/test_engine_limits.py"
_STORE_TESTS = "tests/contracts/test_object_store.py"

DELIVERY = (
    Mutant(
        "acknowledge-first",
        "A worker that is killed takes its message along",
        (
            Change(
                "shared/messaging/delivery.py",
                "            return await call_next(msg)\n",
                "            await msg.ack()\n            return await call_next(msg)\n",
            ),
        ),
        (f"{_CONSUMER_TESTS}::test_a_consumer_that_dies_gives_its_message_to_the_next",),
    ),
    Mutant(
        "failed-message-dropped",
        "A message that failed is acknowledged although no copy of it was kept",
        (Change("shared/messaging/delivery.py", "            raise NackMessage from error\n", "            return\n"),),
        (f"{_DELIVERY_TESTS}::test_a_failed_message_of_which_no_copy_is_taken_stays_where_it_is",),
    ),
    Mutant(
        "dead-letters-without-end",
        "A message that can never succeed is tried for ever",
        (Change("shared/messaging/verdict.py", "if past.attempts >= len(policy.delays_s):", "if False:"),),
        ("tests/unit/shared/test_verdicts.py",),
    ),
    Mutant(
        "outage-uses-up-attempts",
        "A database that is away for a minute buries innocent messages",
        (
            Change(
                "shared/messaging/delivery.py",
                "attempt = past.attempts + (0 if verdict.waits else 1)",
                "attempt = past.attempts + 1",
            ),
        ),
        (f"{_CONSUMER_TESTS}::test_an_outage_is_waited_for_without_using_up_attempts",),
    ),
    Mutant(
        "messages-in-memory",
        "A broker that is restarted has forgotten every message",
        (
            Change(
                "shared/messaging/publish.py",
                "                persist=True,\n",
                "                persist=False,\n",
            ),
        ),
        ("tests/integration/shared/test_publishing.py",),
    ),
    Mutant(
        "nobody-listens",
        "An event that reaches no queue is taken for published",
        (
            Change(
                "shared/messaging/publish.py",
                "                mandatory=True,\n",
                "                mandatory=False,\n",
            ),
        ),
        ("tests/integration/shared/test_publishing.py",),
    ),
    Mutant(
        "all-units-one-message",
        "Two units of a job pass for one message",
        (
            Change(
                "shared/messaging/publish.py",
                "*map(str, parts), *again])",
                "*again])",
            ),
        ),
        ("tests/unit/shared/test_message_values.py",),
    ),
)

EVENTS_OF_OTHERS = (
    Mutant(
        "retry-loses-the-routing-key",
        "A job that another system submitted is lost to its owner after one retry",
        (
            Change(
                "shared/messaging/headers.py",
                "    return next((key for key in _keys_of_deaths(headers) if key != queue), None)\n",
                "    return None\n",
            ),
            Change("shared/messaging/headers.py", "    if isinstance(kept, str) and kept:\n", "    if False:\n"),
        ),
        ("tests/integration/pipeline/test_event_retries.py",),
    ),
    Mutant(
        "every-consumer-its-own-trace",
        "An engineer who looks for a failed job finds the trace in which nothing happened",
        (
            Change(
                "shared/messaging/tracing.py",
                'rootless = work["job_id"] is not None and not names_trace(message.headers)',
                "rootless = False",
            ),
        ),
        ("tests/integration/shared/test_message_traces.py",),
    ),
)

CHECKPOINTS = (
    Mutant(
        "no-checkpoint-look",
        "Whatever is delivered twice is computed twice",
        (
            Change(
                "shared/checkpoints.py",
                "if kept is not None:\n                        return kept\n                    joining",
                "if False:\n                        return kept\n                    joining",
            ),
        ),
        (_CHECKPOINT_TESTS,),
    ),
    Mutant(
        "last-write-wins",
        "Of two replicas that race each goes on with a result of its own",
        (Change("shared/checkpoints.py", ', place: {"$exists": False}},', "},"),),
        (_CHECKPOINT_TESTS,),
    ),
    Mutant(
        "deleted-jobs-come-back",
        "A deleted job leaves new results behind",
        (Change("shared/checkpoints.py", '"deleted_at": {"$exists": False}, place', "place"),),
        (_CHECKPOINT_TESTS,),
    ),
    Mutant(
        "cancelled-work-goes-on",
        "A cancelled lecture is recognised to its end",
        (Change("shared/checkpoints.py", 'if job.get("cancelled_run", 0) >= message.run:', "if False:"),),
        (_CHECKPOINT_TESTS,),
    ),
)

STORAGE = (
    Mutant(
        "no-fsync",
        "A power cut leaves empty files under names that were promised",
        (Change("shared/storage/local.py", "    os.fsync(file.fileno())\n", ""),),
        ("tests/unit/shared/test_durable_files.py",),
    ),
    Mutant(
        "half-an-upload",
        "An upload that breaks off is kept as if it were whole",
        (
            Change(
                "shared/storage/local.py",
                "            handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=self._partial)\n"
                "            try:\n",
                "            handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=self._partial)\n"
                "            await _in_thread(_rename, Path(name), target)\n"
                "            name = str(target)\n"
                "            try:\n",
            ),
        ),
        (_STORE_TESTS,),
    ),
    Mutant(
        "upload-without-limit",
        "One upload fills the disk",
        (Change("shared/storage/local.py", "if size > max_size:", "if False:"),),
        (_STORE_TESTS,),
    ),
)

GATEWAY = (
    Mutant(
        "sweeper-never-runs",
        "Jobs that a killed gateway had accepted wait for ever",
        (Change("services/gateway/app.py", "asyncio.create_task(_sweeper(parts, gateway).run()),", ""),),
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
        ("tests/unit/local/test_supervisor.py::test_each_service_has_a_login_of_its_own_on_the_private_database",),
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
            f"{_KEY_TESTS}::test_another_first_key_revokes_the_one_before",
        ),
    ),
)

READINESS = (
    Mutant(
        "ready-by-ping",
        "A database that a full disk left answering and not working counts as ready for ever",
        (
            Change(
                "shared/database.py",
                '            await self[CHECKS].update_one({"_id": self._name}, {"$set": {"at": now}}, upsert=True)\n'
                '            found = await self[CHECKS].find_one({"_id": self._name})\n',
                '            found = await self._database.command("ping")\n',
            ),
        ),
        (f"{_CHECK_TESTS}::test_a_database_is_checked_by_a_write_and_a_read_that_leave_one_document",),
    ),
    Mutant(
        "broker-ready-by-connection",
        "A broker that takes no message counts as ready, and nobody starts it again",
        (
            Change(
                "shared/messaging/queues.py",
                "            await channel.default_exchange.publish(message, CHECKS)\n",
                "            await channel.declare_queue(CHECKS, passive=True)\n",
            ),
        ),
        (f"{_CHECK_TESTS}::test_a_broker_that_takes_no_message_is_not_ready_and_then_it_is",),
    ),
)

MUTANTS: tuple[Mutant, ...] = (*DELIVERY, *EVENTS_OF_OTHERS, *CHECKPOINTS, *STORAGE, *GATEWAY, *ENGINES, *READINESS)
