"""Objects with named fields: dataclasses, named tuples, and models of attrs, pydantic and msgspec."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import msgspec


def fields(value: Any) -> list[tuple[str, Any]] | None:
    """Return the names and values of an object's fields in order; None if it is no object with declared fields."""
    kind = type(value)
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return list(zip(kind._fields, value, strict=True))
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return list(value.model_dump().items())
    if hasattr(kind, "__attrs_attrs__"):
        return [(attribute.name, getattr(value, attribute.name)) for attribute in kind.__attrs_attrs__]
    if isinstance(value, msgspec.Struct):
        return [
            (wire, getattr(value, name))
            for wire, name in zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        ]
    return None
