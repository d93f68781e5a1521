"""Mutants of what carries work: each loses or doubles something without a word, so a test has to speak up."""

from tests.mutants.mutant import Change, Mutant

_CHECK_TESTS = "tests/integration/shared/test_checks.py"
_CHECKPOINT_TESTS = "tests/integration/shared/test_checkpoints.py"
_CONSUMER_TESTS = "tests/integration/shared/test_consumers.py"
_DELIVERY_TESTS = "tests/integration/shared/test_delivery.py"
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
                "        await channel.default_exchange.publish(message, CHECKS)\n",
                "        await channel.declare_queue(CHECKS, passive=True)\n",
            ),
        ),
        (f"{_CHECK_TESTS}::test_a_broker_that_takes_no_message_is_not_ready_and_then_it_is",),
    ),
    Mutant(
        "ready-without-consumers",
        "A service that the broker sends nothing any more counts as ready, and nobody starts it again",
        (Change("shared/service.py", "    await check_consumers(broker)\n", ""),),
        ("tests/integration/shared/test_lost_connection_ends.py",),
    ),
    Mutant(
        "lost-by-a-failure-that-is-over",
        "A service whose readiness is tried once in ten minutes ends after one publish that was not confirmed in time",
        (Change("shared/service.py", '["broker"].confirmed', '["broker"].recent'),),
        ("tests/integration/shared/test_lost_connection_ends.py",),
    ),
)
