"""What lies in queues, looked at from outside and left where it is."""

from collections.abc import Sequence

import aio_pika


async def texts_in(amqp_url: str, queues: Sequence[str]) -> list[str]:
    """The bodies of all messages that wait in `queues`; closing the connection puts them back."""
    texts: list[str] = []
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for name in queues:
            queue = await channel.get_queue(name, ensure=False)
            while (message := await queue.get(fail=False)) is not None:
                texts.append(message.body.decode(errors="replace"))
    return texts
