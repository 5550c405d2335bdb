"""`Workflow`: functions that depend on each other, built in Python."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from colony_jupyter.client.carried import carry, merge_options, pack_for
from colony_jupyter.client.function_spec import make_spec
from colony_jupyter.errors import InvalidSpec
from colony_jupyter.wire.models import Conditions, FunctionSpec, WorkflowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Node:
    """One function of a workflow, made by `Workflow.add`. Its text is its name.

    Attributes:
        workflow: the workflow that it is in.
        spec: its function spec.
    """

    def __init__(self, workflow: Workflow, spec: FunctionSpec) -> None:
        self.workflow = workflow
        self.spec = spec

    @property
    def nodename(self) -> str:
        """Its name in the workflow."""
        return self.spec.nodename

    def __str__(self) -> str:
        return self.nodename

    def __repr__(self) -> str:
        return f"<Node {self.nodename!r} of a workflow: {self.spec.funcname}>"


class Workflow:
    """Functions that depend on each other: each starts when all it depends on have succeeded.

    The outputs of the functions that one depends on arrive as its ``input`` (``context.input`` in an executor), in the
    order of its dependencies. ``first = workflow.add("gen", executortype="cli")`` adds one, ``workflow.add("sum",
    executortype="cli", after=[first])`` one that depends on it, and ``colony.submit(workflow)`` runs them.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    @classmethod
    def of(cls, specs: Iterable[FunctionSpec]) -> Self:
        """Make a workflow of function specs that name their dependencies, as ColonyOS's command line reads them.

        Raises:
            InvalidSpec: if two have the same name, or one has none.
        """
        made = cls()
        for spec in specs:
            if not spec.nodename:
                raise InvalidSpec(f"A function of the workflow ({spec.funcname}) has no nodename.")
            made._insert(copy.deepcopy(spec))
        return made

    def add(
        self,
        function: str | FunctionSpec | Callable[..., Any],
        /,
        *args: Any,
        nodename: str = "",
        after: Node | str | Iterable[Node | str] = (),
        kwargs: Mapping[str, Any] | None = None,
        channels: Sequence[str] = (),
        executortype: str = "",
        executornames: Sequence[str] = (),
        conditions: Conditions | None = None,
        **options: Any,
    ) -> Node:
        """Add a function.

        Args:
            function: name of the function, a whole spec, or a Python function, as for `Colony.submit`.
            args: its positional arguments, JSON values.
            nodename: its name in the workflow; by default the name of the function.
            after: the nodes it depends on, or their names; one that is added later is given by its name.
            kwargs: its named arguments, JSON values.
            channels: names of the channels its process has.
            executortype: type of the executors that may run it; by default the one type that offers the function.
            executornames: only these executors may run it.
            conditions: further conditions.
            options: further options of `Colony.submit`: ``maxexectime``, ``priority``, ``label`` and so on.

        Raises:
            InvalidSpec: if the workflow has a node of that name, or the function could never run as it is.
            UsageError: if the source of a Python function cannot be sent.
        """
        if callable(function):
            channels, executortype, executornames, options = merge_options(
                function, channels=channels, executortype=executortype, executornames=executornames, **options
            )
            conditions = conditions or options.pop("conditions", None)
            chosen = executortype or (conditions.executortype if conditions is not None else "")
            function = carry(pack_for(function, chosen), args, kwargs, options.pop("env", None))
            args, kwargs = (), None
        base = FunctionSpec(funcname=function) if isinstance(function, str) else copy.deepcopy(function)
        if conditions is not None:
            base.conditions = copy.deepcopy(conditions)
        spec = make_spec(
            base,
            args,
            kwargs=kwargs,
            channels=channels,
            executortype=executortype,
            executornames=executornames,
            colonyname="",
            options=options,
        )
        spec.nodename = nodename or spec.nodename or spec.funcname
        spec.conditions.dependencies = list(dict.fromkeys([*spec.conditions.dependencies, *self._names(after)]))
        return self._insert(spec)

    def spec(self, colonyname: str) -> WorkflowSpec:
        """Return the workflow as it is sent to a colony."""
        specs = [copy.deepcopy(node.spec) for node in self._nodes.values()]
        return WorkflowSpec(colonyname=colonyname, functionspecs=specs)

    def __getitem__(self, name: str) -> Node:
        if name not in self._nodes:
            raise InvalidSpec(f"The workflow has no node {name!r}. It has: {', '.join(self._nodes) or 'none yet'}.")
        return self._nodes[name]

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        lines = []
        for node in self._nodes.values():
            needs = ", ".join(node.spec.conditions.dependencies)
            function = "" if node.nodename == node.spec.funcname else f" ({node.spec.funcname})"
            lines.append(f"  {node.nodename}{function}{f' after {needs}' if needs else ''}")
        return "\n".join([f"<Workflow of {len(self)} functions>", *lines])

    def _insert(self, spec: FunctionSpec) -> Node:
        if spec.nodename in self._nodes:
            raise InvalidSpec(
                f"The workflow has a node '{spec.nodename}' already: give this one another name, "
                f"nodename='{self._free(spec.nodename)}'."
            )
        node = self._nodes[spec.nodename] = Node(self, spec)
        return node

    def _free(self, name: str) -> str:
        number = 2
        while f"{name}-{number}" in self._nodes:
            number += 1
        return f"{name}-{number}"

    def _names(self, after: Node | str | Iterable[Node | str]) -> list[str]:
        nodes = [after] if isinstance(after, (Node, str)) or not isinstance(after, Iterable) else list(after)
        for node in nodes:
            if not isinstance(node, (Node, str)):
                raise InvalidSpec(f"after has {node!r}: nodes or names of nodes are needed.")
            if isinstance(node, Node) and node.workflow is not self:
                raise InvalidSpec(f"Node '{node}' belongs to another workflow: add it to this one, too.")
        return [str(node) for node in nodes]
