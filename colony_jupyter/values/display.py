"""The MIME bundle with which an object is displayed: any object has one."""

from __future__ import annotations

from typing import Any

from colony_jupyter.errors import UsageError
from colony_jupyter.values.conversion import convert
from colony_jupyter.values.mime import JSON, PLAIN, MimeBundle, bundle_of, is_bundle, plain
from colony_jupyter.values.report import described


def display_bundle(value: Any) -> dict[str, Any]:
    """Make the MIME bundle with which any object is displayed: that of `bundle_of`, else text.

    A list or dict is JSON, too, if all that it holds can be converted.

    Raises:
        UsageError: if the representations of the object raise.
    """
    if isinstance(value, MimeBundle) or is_bundle(value):
        return dict(value)
    if isinstance(value, str):
        return {PLAIN: value}
    try:
        bundle = bundle_of(value)
    except Exception as error:
        kind = type(value).__name__
        raise UsageError(f"The {kind} cannot be displayed: its representation raises {described(error)}") from error
    if bundle is not None:
        return bundle
    bundle = {PLAIN: plain(value)}
    if isinstance(value, (dict, list)):
        converted = convert(value, "value", large="keep")
        if not converted.faults:
            bundle[JSON] = converted.value
    return bundle
