"""A colony of one's own, on the embedded colony or a real server, seen through the official SDK."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pycolonies
import pytest
from crypto import Crypto

from colony_jupyter.settings import resolve
from colony_jupyter.testing import ColonyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colony_jupyter.settings import Settings

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Member:
    """An executor or a user: its name and its key. The type of an executor is its own."""

    name: str
    prvkey: str
    executortype: str = ""


class World:
    """One colony and the SDK's client for it."""

    def __init__(self, host: str, port: int, *, tls: bool, server_prvkey: str) -> None:
        self.sdk = pycolonies.Colonies(host, port, tls)
        self.crypto = Crypto()
        self.server_prvkey = server_prvkey
        self.colonyname = f"interop-{secrets.token_hex(6)}"
        self.colony_prvkey = self.crypto.prvkey()

    def found(self) -> None:
        colony = {"colonyid": self.crypto.id(self.colony_prvkey), "name": self.colonyname}
        assert self.sdk.add_colony(colony, self.server_prvkey) == colony

    def abandon(self) -> None:
        self.sdk.del_colony(self.colonyname, self.server_prvkey)

    def environ(self) -> dict[str, str]:
        """Return the variables by which the owner of this colony reaches it."""
        return {
            "COLONIES_SERVER_HOST": self.sdk.host,
            "COLONIES_SERVER_PORT": str(self.sdk.port),
            "COLONIES_TLS": str(self.sdk.tls).lower(),
            "COLONIES_COLONY_NAME": self.colonyname,
            "COLONIES_COLONY_PRVKEY": self.colony_prvkey,
        }

    def settings(self, member: Member) -> Settings:
        """Return the settings by which our client and our executors are in this colony as a member."""
        return resolve({**self.environ(), "COLONIES_PRVKEY": member.prvkey})

    def user(self) -> Member:
        member = Member(f"user-{next(_numbers)}", self.crypto.prvkey())
        user = {
            "colonyname": self.colonyname,
            "userid": self.crypto.id(member.prvkey),
            "name": member.name,
            "email": "u@example.org",
            "phone": "",
        }
        self.sdk.add_user(user, self.colony_prvkey)
        return member

    def pending(self, executortype: str = "") -> Member:
        number = next(_numbers)
        # Types that differ by trailing digits alone collide in a real server (trap 5).
        executortype = executortype or f"{self.colonyname}-{number}-t"
        member = Member(f"executor-{number}", self.crypto.prvkey(), executortype)
        executor = {
            "executorname": member.name,
            "executorid": self.crypto.id(member.prvkey),
            "colonyname": self.colonyname,
            "executortype": member.executortype,
        }
        self.sdk.add_executor(executor, self.colony_prvkey)
        return member

    def executor(self, executortype: str = "") -> Member:
        member = self.pending(executortype)
        self.sdk.approve_executor(self.colonyname, member.name, self.colony_prvkey)
        return member

    def spec(self, executor: Member, funcname: str = "work", args: tuple = (), **more) -> pycolonies.FuncSpec:
        channels = more.pop("channels", [])
        spec = pycolonies.func_spec(funcname, list(args), self.colonyname, executor.executortype, **more)
        spec.channels = list(channels)
        return spec

    def submit(self, user: Member, executor: Member, *args, **more) -> pycolonies.Process:
        return self.sdk.submit_func_spec(self.spec(executor, *args, **more), user.prvkey)

    def assign(self, executor: Member, timeout: int = 5) -> pycolonies.Process:
        return self.sdk.assign(self.colonyname, timeout, executor.prvkey)


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def world(
    request: pytest.FixtureRequest, real_server: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    if request.param == "real":
        if "COLONIES_SERVER_PRVKEY" not in real_server:
            pytest.skip("live: to make a colony of its own this needs COLONIES_SERVER_PRVKEY")
        tls = real_server.get("COLONIES_TLS", real_server.get("COLONIES_SERVER_TLS", "false")) == "true"
        port = int(real_server.get("COLONIES_SERVER_PORT", "443" if tls else "80"))
        real = World(
            real_server["COLONIES_SERVER_HOST"], port, tls=tls, server_prvkey=real_server["COLONIES_SERVER_PRVKEY"]
        )
        real.found()
        yield real
        real.abandon()
        return
    with ColonyServer(tmp_path_factory.mktemp("interop")) as server:
        ours = World(server.host, server.port, tls=False, server_prvkey=server.server_prvkey.reveal())
        ours.found()
        yield ours
        ours.abandon()


@pytest.fixture
def user(world: World) -> Member:
    return world.user()


@pytest.fixture
def executor(world: World) -> Member:
    return world.executor()
