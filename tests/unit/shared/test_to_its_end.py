"""A cancelled caller of a write goes on when the write has ended, or when it has waited long enough."""

import asyncio

import pytest

from shared.storage.to_its_end import to_its_end


class Write:
    """A write that ends when it is told to."""

    def __init__(self) -> None:
        self.allowed = asyncio.Event()
        self.state = "begun"

    async def run(self, error: Exception | None = None) -> str:
        try:
            await self.allowed.wait()
        except asyncio.CancelledError:
            self.state = "cancelled"
            raise
        self.state = "ended"
        if error:
            raise error
        return "answer"


async def test_the_answer_is_handed_on() -> None:
    write = Write()
    write.allowed.set()
    assert await to_its_end(write.run()) == "answer"


@pytest.mark.parametrize("error", [None, OSError("away")])
async def test_a_cancelled_caller_waits_for_the_end_even_of_one_that_fails(error: Exception | None) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    write = Write()
    caller = asyncio.ensure_future(to_its_end(write.run(error)))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0.01)
    assert not caller.done()
    write.allowed.set()
    await asyncio.wait([caller])
    assert caller.cancelled()
    assert write.state == "ended"
    del write, caller
    assert not reported


async def test_one_that_does_not_end_is_given_up() -> None:
    write = Write()
    caller = asyncio.ensure_future(to_its_end(write.run(), at_most_s=0.01))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.sleep(0)
    assert write.state == "cancelled"
