"""What a workflow must fulfil before it is sent: the server half stores some that it refuses (trap 12). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colony_jupyter.client.function_spec import check_list, check_spec
from colony_jupyter.errors import InvalidSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony_jupyter.wire.models import FunctionSpec, WorkflowSpec


def check_workflow(workflow: WorkflowSpec) -> None:
    """Refuse a workflow that the server would half store, never start or never end (trap 12).

    Raises:
        InvalidSpec: naming the node.
    """
    if not workflow.functionspecs:
        raise InvalidSpec("The workflow has no functions, so it would never end: add one.")
    nodes: dict[str, Sequence[str]] = {}
    for spec in workflow.functionspecs:
        _check_node(spec)
        if spec.nodename in nodes:
            raise InvalidSpec(f"Two functions of the workflow are named '{spec.nodename}': give each its own nodename.")
        nodes[spec.nodename] = spec.conditions.dependencies
    for name, dependencies in nodes.items():
        for dependency in dependencies:
            if dependency not in nodes:
                has = ", ".join(nodes)
                raise InvalidSpec(f"Node '{name}' depends on '{dependency}', which the workflow does not have: {has}.")
    if found := cycle(nodes):
        circle = " after ".join(f"'{name}'" for name in [*found, found[0]])
        raise InvalidSpec(f"Nodes depend on each other in a circle, so none of them would ever start: {circle}.")


def cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """Find nodes that depend on each other in a circle.

    Args:
        dependencies: the nodes that each node depends on; all of them are keys.

    Returns:
        The nodes of one circle, each of which depends on the next, and the last one on the first. Empty without one.
    """
    placed = set(order(dependencies))
    waiting = {name: needs for name, needs in dependencies.items() if name not in placed}
    path: dict[str, None] = {}  # in order
    at = next(iter(waiting), None)
    while at is not None and at not in path:
        path[at] = None
        at = next(name for name in waiting[at] if name in waiting)  # what is left depends on what is left
    if at is None:
        return []
    names = list(path)
    return names[names.index(at) :]


def order(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """Order nodes so that each comes after all it depends on; apart from that they stay in their order.

    Args:
        dependencies: the nodes that each node depends on. Those that are no keys do not count.

    Returns:
        The nodes, without those in a circle and those that depend on one.
    """
    left = {name: set(needs) & dependencies.keys() for name, needs in dependencies.items()}
    placed: list[str] = []
    while ready := [name for name, needs in left.items() if needs.isdisjoint(left)]:
        placed += ready
        for name in ready:
            del left[name]
    return placed


def _check_node(spec: FunctionSpec) -> None:
    check_spec(spec)
    name, conditions = spec.nodename, spec.conditions
    if not name:
        raise InvalidSpec(f"A function of the workflow ({spec.funcname}) has no nodename.")
    check_list("dependencies", conditions.dependencies)
    conditions.dependencies = list(dict.fromkeys(conditions.dependencies))
    if not all(isinstance(each, str) for each in conditions.dependencies):
        raise InvalidSpec(f"The dependencies of node '{name}' are not all texts: {conditions.dependencies!r}.")
