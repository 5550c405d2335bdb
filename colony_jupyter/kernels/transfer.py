"""Values between two kernels, as bytes: JSON, npy and Arrow, never pickles.

The text of this module also runs in the remote kernel, where colony_jupyter may not be installed: it imports from the
standard library, and of others what their values need.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

PIECE = 1_000_000
"""Bytes of one message."""
TARGET = "colony_jupyter.values"
"""Name of the comm that carries values."""


def encode(value: Any, name: str = "value") -> tuple[str, bytes]:
    """Return the kind of a value and its bytes.

    Raises:
        TypeError: if it has none; the sentence is for its owner.
    """
    numpy, pandas, polars = (sys.modules.get(each) for each in ("numpy", "pandas", "polars"))
    if numpy is not None and isinstance(value, numpy.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"'{name}' is an array of Python objects, which would need pickle: convert it first.")
        if isinstance(value, numpy.ma.MaskedArray):
            raise TypeError(f"'{name}' is a masked array, whose mask would be lost: move its data and its mask.")
        file = io.BytesIO()
        numpy.save(file, value, allow_pickle=False)
        return "npy", file.getvalue()
    if numpy is not None and isinstance(value, numpy.generic):
        value = value.item()
    for module, kinds in ((pandas, ("DataFrame", "Series")), (polars, ("DataFrame", "Series"))):
        for kind in kinds:
            if module is not None and isinstance(value, getattr(module, kind)):
                return _encode_table(value, f"{module.__name__}.{kind}", name)
    if isinstance(value, (bytes, bytearray)):
        return "bytes", bytes(value)
    try:
        _check(value, name)
    except RecursionError:
        raise TypeError(f"'{name}' contains itself, or is nested too deeply.") from None
    return "json", json.dumps(value).encode()


def decode(kind: str, data: bytes) -> Any:
    """Return the value of bytes.

    Raises:
        TypeError: if the kind needs a package that is missing, or is not known.
    """
    if kind == "json":
        return json.loads(data)
    if kind == "bytes":
        return data
    if kind == "npy":
        return _module("numpy").load(io.BytesIO(data), allow_pickle=False)
    form, _, of = kind.partition(":")
    if form == "arrow":
        table = _module("pyarrow.ipc").open_stream(data).read_all()
        library, _, shape = of.partition(".")
        if library == "polars":
            frame = _module("polars").from_arrow(table)
            return frame if shape == "DataFrame" else frame.to_series()
        frame = table.to_pandas()
        return frame if shape == "DataFrame" else _named(frame.iloc[:, 0], table.schema.metadata)
    if form == "table":
        return _revived(json.loads(data), of.partition(".")[0])
    raise TypeError(f"a value of kind '{kind}' is not known: both sides need the same version of colony_jupyter")


def _encode_table(value: Any, what: str, name: str) -> tuple[str, bytes]:
    library, _, shape = what.partition(".")
    try:
        pyarrow = _module("pyarrow")
    except TypeError:
        return f"table:{what}", _converted(value, name)
    if library == "polars":
        table = (value if shape == "DataFrame" else value.to_frame()).to_arrow()
    else:
        named = value if shape == "DataFrame" else value.to_frame("value" if value.name is None else value.name)
        try:
            table = pyarrow.Table.from_pandas(named)
        except (ValueError, TypeError, NotImplementedError) as error:  # Arrow's errors are of these kinds
            raise TypeError(f"'{name}' has a column that Arrow cannot hold: {error}") from None
        if shape == "Series" and value.name is None:
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"unnamed": b"1"})
    sink = io.BytesIO()
    with _module("pyarrow.ipc").new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return f"arrow:{what}", sink.getvalue()


def _named(series: Any, metadata: Any) -> Any:
    if b"unnamed" in (metadata or {}):
        series.name = None
    return series


def _converted(value: Any, name: str) -> bytes:
    """Return a table as JSON, as colony_jupyter's values have it."""
    converted = _values("conversion").convert(value, name, large="keep")
    if converted.faults:
        raise TypeError(converted.complaint())
    return json.dumps(converted.value).encode()


def _revived(form: Any, library: str) -> Any:
    table = _values("datatable").DataTable(form)
    return table.to_polars() if library == "polars" else table.to_pandas()


def _values(module: str) -> Any:
    return _module(f"colony_jupyter.values.{module}", "pyarrow, or colony_jupyter")


def _module(name: str, needed: str = "") -> Any:
    import importlib  # noqa: PLC0415 - rarely needed

    try:
        return importlib.import_module(name)
    except ImportError:
        needed = needed or name.partition(".")[0]
        raise TypeError(f"{needed} is not installed there, and the value needs it") from None


def _check(value: Any, path: str) -> None:
    """Refuse what JSON would change: dicts with other keys, tuples, objects."""
    if value is None or type(value) in (bool, int, float, str):
        return
    if type(value) is list:
        for number, each in enumerate(value):
            _check(each, f"{path}[{number}]")
        return
    if type(value) is dict:
        for key, each in value.items():
            if type(key) is not str:
                raise TypeError(f"a key of '{path}' is a {type(key).__name__}: keys must be text.")
            _check(each, f"{path}[{key!r}]")
        return
    raise TypeError(
        f"'{path}' is a {type(value).__name__}. Text, numbers, lists and dicts of them, bytes, arrays and tables can "
        "be moved: convert it first."
    )


def pieces(data: bytes) -> list[bytes]:
    """Cut bytes into messages."""
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]


class Receiving:
    """A value on its way in, piece by piece.

    Args:
        kind: its kind.
        size: its bytes.
    """

    def __init__(self, kind: str, size: int) -> None:
        self._kind = kind
        self.size = size
        self.received = 0
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes) -> bool:
        """Accept a piece; returns whether it is the last."""
        self._pieces.append(bytes(piece))
        self.received += len(piece)
        return self.received >= self.size

    def value(self) -> Any:
        """Return the value."""
        return decode(self._kind, b"".join(self._pieces))


def serve(shell: Any, manager: Any) -> None:
    """Let the other kernel set and read variables, through a comm.

    Args:
        shell: IPython's, in the remote kernel.
        manager: its manager of comms.
    """

    def opened(comm: Any, message: Any) -> None:
        asked = message["content"]["data"]
        if "push" in asked:
            receiving = Receiving(asked["kind"], asked["size"])

            def received(message: Any) -> None:
                try:
                    is_last = receiving.feed(message["buffers"][0])
                    if is_last:
                        shell.user_ns[asked["push"]] = receiving.value()
                except Exception as error:
                    comm.send({"error": f"{type(error).__name__}: {error}"})
                else:
                    comm.send({"received": receiving.received})

            comm.on_msg(received)
            comm.send({"ready": True})
            return
        name = asked["pull"]
        try:
            if name not in shell.user_ns:
                raise TypeError(f"there is no variable '{name}' in the kernel")
            kind, data = encode(shell.user_ns[name], name)
        except Exception as error:
            comm.send({"error": str(error)})
            return
        comm.send({"kind": kind, "size": len(data)})
        for piece in pieces(data):
            comm.send({}, buffers=[piece])

    manager.register_target(TARGET, opened)
