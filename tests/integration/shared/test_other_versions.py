"""Commands of another version, as an older worker finds them after a rollback: kept, and never done in part."""

import aio_pika
import anyio
import pytest
from opentelemetry.sdk.trace import TracerProvider

from shared.circuit import Circuits
from shared.commands import TranscribeSpeech
from shared.events import SpeechPiece
from shared.messaging import headers as names
from shared.messaging.broker import create_broker, drain, subscribe
from shared.messaging.publish import Publisher
from shared.messaging.topology import SPEECH, declare_topology
from shared.settings import SharedSettings
from shared.storage import ObjectRef
from tests.integration.shared.consuming import take

AUDIO = ObjectRef(key="ingest/job-00001/speech-1.wav", sha256="0" * 64, size=1, media_type="audio/wav")
PIECE = SpeechPiece(number=1, start_s=0, end_s=1, audio=AUDIO)
COMMAND = TranscribeSpeech(job_id="job-00001", piece=PIECE, units=1)
NEWER = "transcription.speech.v2"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(COMMAND.model_dump_json().encode(), id="as this version's"),
        pytest.param(b'{"job_id": "job-00001", "piece": 7}', id="of another form"),
        pytest.param(b"\x00", id="not JSON"),
    ],
)
async def test_a_command_of_another_version_is_kept_for_a_worker_that_knows_it(
    settings: SharedSettings, amqp_url: str, body: bytes
) -> None:
    done: list[TranscribeSpeech] = []

    async def on_transcribe_speech(command: TranscribeSpeech) -> None:
        done.append(command)

    broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
    subscribe(broker, SPEECH, on_transcribe_speech, prefetch=1)
    await broker.connect()
    await declare_topology(broker, settings.retry_delays_s)
    await broker.start()
    try:
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            message = aio_pika.Message(body, content_type="application/json", type=NEWER, message_id="2")
            await channel.default_exchange.publish(message, SPEECH.name)
        letter = await take(amqp_url, SPEECH.dead_letters)
        assert done == []
        await Publisher(broker, "test")(COMMAND, message_id="1")
        for _ in range(400):
            if done:
                break
            await anyio.sleep(0.05)
    finally:
        await drain(broker, settings.shutdown_s)
    assert done == [COMMAND], "its own version's"
    assert (letter.body, letter.type, letter.message_id) == (body, NEWER, "2")
    assert letter.headers[names.REASON] == "attempts-exhausted"
    assert letter.headers[names.CODE] == "other_version"
    assert letter.headers[names.ATTEMPT] == len(settings.retry_delays_s) + 1
    assert "another version of Lectern" in str(letter.headers[names.PUBLIC_MESSAGE])
