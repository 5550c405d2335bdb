"""Another member of the colony, a user and an executor, attacks a kernel: section 5 of the design."""

from __future__ import annotations

import contextlib
import random

import msgspec
import pytest
from kernel_parties import parties, run
from key_hunt import Hunt
from parties import reach
from servers import RUN, own, stored

from colony_jupyter import AsyncColony
from colony_jupyter.errors import AccessDenied, ChannelClosed, ColonyError
from colony_jupyter.kernels import names
from colony_jupyter.kernels.events import KernelGone, Target
from colony_jupyter.kernels.relay.handshake import HELLO, SEALED, Hello, signed_hello
from colony_jupyter.kernels.relay.layout import CHANNELS
from colony_jupyter.kernels.remote import RemoteKernel
from colony_jupyter.wire.identity import PrivateKey


@contextlib.asynccontextmanager
async def member(server, kind):
    """A member of the colony that has nothing to do with the kernel."""
    key = PrivateKey.generate(random.randbytes)
    name = own(f"{kind}-{key.id[:6]}")
    async with AsyncColony(reach(server)) as owner, AsyncColony(reach(server), prvkey=key) as colony:
        if kind == "user":
            await owner.add_user(name, key.id)
        else:
            await owner.add_executor(name, key.id, name)
            await owner.approve_executor(name)
        yield colony
        await (owner.remove_user if kind == "user" else owner.remove_executor)(name)


@pytest.mark.parametrize("kind", ["user", "executor"])
async def test_another_member_can_neither_read_nor_write_the_channels(server, kind):
    async with parties(server) as (kernel, _, _), member(server, kind) as guest:
        await run(kernel, "kept = 1")
        process = await guest.get_process(kernel.processid)
        hello = Hello("00" * 8, "11" * 32, {"out": 0, "ctl": 0})
        payloads = {HELLO: signed_hello(hello, kernel.processid, guest.key), SEALED: b"x" * 60}
        for channel in CHANNELS:
            with pytest.raises(AccessDenied):
                await process.channel(channel).read()
            for entrytype, payload in payloads.items():
                with pytest.raises(ChannelClosed, match="and you are neither"):
                    await guest.channel_append(kernel.processid, channel, 2, payload, type=entrytype)
        with pytest.raises(ColonyError):
            await guest.set_output(process, ["forged"])
        with pytest.raises(ColonyError):
            await guest.close(process)
        assert await run(kernel, "print(kept)") == "1\n"


async def test_what_another_member_sees_of_a_kernel_holds_no_key_and_no_code(server):
    async with parties(server) as (kernel, executor, user), member(server, "user") as guest:
        await run(kernel, "secret = 'a ' + 'word'; print(secret)")
        about = await guest.get_process(kernel.processid)
        seen = msgspec.json.encode(about.record) + repr(list(await guest.executors())).encode()
        seen += repr([str(line) for line in await guest.logs(kernel.processid)]).encode()
        hunt = Hunt(user.key, executor.colony.key)
        assert hunt.found(seen) == []
        assert kernel.about.key.encode() not in seen
        assert b"secret" not in seen


async def test_another_member_cannot_take_a_kernel_over_by_its_id(server):
    """Ids of processes are public: a successor must be of the same initiator."""
    async with parties(server) as (kernel, executor, _), member(server, "user") as guest:
        await run(kernel, "kept = 1")
        thief = await guest.submit(
            names.FUNCTION,
            kwargs={names.ADOPT: kernel.processid},
            channels=CHANNELS,
            executortype=executor.name,
            label=names.FUNCTION,
        )
        stolen = RemoteKernel(guest, Target(executor.name))
        await stolen.start(thief.processid)
        try:
            with pytest.raises(RuntimeError, match="NameError"):
                await run(stolen, "kept")
            assert stolen.about.is_new
            assert stolen.about.key != kernel.about.key
            assert await run(kernel, "print(kept)") == "1\n"
        finally:
            await stolen.shut_down()


async def test_an_executor_that_takes_the_process_gets_no_code_unless_it_is_trusted(server):
    async with parties(server, start=False) as (_, executor, user):
        trusted = "0" * 64
        kernel = RemoteKernel(user, Target(executor.name, trusted=[trusted]))
        with pytest.raises(KernelGone, match="none of those that were trusted"):
            await kernel.start()
        process = kernel.link.process
        assert process is not None
        sealed = [each for name in CHANNELS for each in await process.channel(name).read() if each.type == SEALED]
        assert [each for each in sealed if each.senderid == user.key.id] == []
        await kernel.shut_down()


async def test_a_server_stores_no_key_and_no_plain_text_of_cells(server):
    """Everything: channels, specs, logs, the database, and what the other side of the kernel answered."""
    async with parties(server) as (kernel, executor, user):
        words = f"word-{RUN}"
        code = f"print('plain ' + {words!r}); {words!r}.upper()"
        for _ in range(3):
            assert f"plain {words}" in await run(kernel, code)
        process = kernel.link.process
        assert process is not None
        entries = [entry for name in CHANNELS for entry in await process.channel(name).read()]
        assert len(entries) > 6
        everything = stored(server) + b"".join(entry.payload or b"" for entry in entries)
        everything += msgspec.json.encode((await user.get_process(kernel.processid)).record)
        for text in (words, words.upper(), kernel.about.key, "execute_request", "print("):
            assert text.encode() not in b"".join(entry.payload or b"" for entry in entries), text
        for text in (words, words.upper(), kernel.about.key):
            assert text.encode() not in everything, text
        assert Hunt(executor.colony.key).found(everything) == []
