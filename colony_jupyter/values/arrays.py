"""Arrays of numpy, and of libraries whose objects give one by ``__array__`` (PyTorch, JAX, ...), as nested lists."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from colony_jupyter.wire.limits import EXACT_INTEGER

if TYPE_CHECKING:
    from colony_jupyter.values.protocol import Converter
    from colony_jupyter.values.report import Path


def is_array(value: Any) -> bool:
    """Whether an object is an array or gives one."""
    return hasattr(type(value), "__array__")


def encode(converter: Converter, value: Any, path: Path) -> Any:
    """Return an array as nested lists of JSON values; an array without dimensions as one value."""
    if hasattr(value, "to_pylist"):  # a table or an array of pyarrow: its array has no names and no missing values
        return converter.value(value.to_pylist(), path)
    array = _as_numpy(value)
    numpy: Any = sys.modules["numpy"]
    kind = array.dtype.kind
    if isinstance(array, numpy.ma.MaskedArray):
        return converter.value(array.tolist(), path)
    if array.dtype.names:
        rows = array.tolist()
        return converter.value(_records(rows, array.dtype.names, array.ndim), path)
    if kind == "V":  # types that numpy does not have itself, as JAX's bfloat16
        array = array.astype("float32")
        kind = "f"
    if kind == "f":
        return _floats(converter, numpy, array)
    if kind == "b" or (kind in "iu" and _is_exact(array)):
        return array.tolist()
    if kind == "M":
        return _dates(numpy, array)
    if kind == "m":
        return _durations(numpy, array)
    if kind == "c":
        converter.fault(path, "holds complex numbers, which JSON does not have", "give .real and .imag of it")
        return None
    return converter.value(array.tolist(), path)


def _as_numpy(value: Any) -> Any:
    """Return the numpy array of an object: a tensor may be on a GPU, need gradients, or have a type numpy lacks."""
    if type(value).__module__.partition(".")[0] == "torch":
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
    return value if hasattr(value, "tolist") and hasattr(value, "__array_ufunc__") else value.__array__()


def _floats(converter: Converter, numpy: Any, array: Any) -> Any:
    if array.dtype.itemsize > numpy.dtype("float64").itemsize:
        array = array.astype("float64")
    bad = ~numpy.isfinite(array)
    count = int(numpy.count_nonzero(bad))
    if not count:
        return array.tolist()
    converter.nonfinite += count
    if not array.ndim:
        return None
    values = array.astype(object)
    values[bad] = None
    return values.tolist()


def _is_exact(array: Any) -> bool:
    return array.size == 0 or bool(array.min() >= -EXACT_INTEGER and array.max() <= EXACT_INTEGER)


def _dates(numpy: Any, array: Any) -> Any:
    texts = numpy.datetime_as_string(array).astype(object)
    if not array.ndim:
        return None if str(texts) == "NaT" else str(texts)
    texts[numpy.isnat(array)] = None
    return texts.tolist()


def _durations(numpy: Any, array: Any) -> Any:
    """Return seconds; null for NaT."""
    seconds = (array / numpy.timedelta64(1, "s")).astype(object)
    if not array.ndim:
        return None if numpy.isnat(array) else float(seconds)
    seconds[numpy.isnat(array)] = None
    return seconds.tolist()


def _records(rows: Any, names: tuple[str, ...], depth: int) -> Any:
    if not depth:
        return dict(zip(names, rows, strict=True))
    return [_records(row, names, depth - 1) for row in rows]
