"""Global names that a text of Python uses."""

from __future__ import annotations

import ast
import symtable
from typing import Any


class _Simplified(ast.NodeTransformer):
    """Removes annotations of functions, which are not evaluated where the text is sent with a `__future__` import.

    ``name += 1`` becomes ``name = name + 1``: a symbol table does not show that the former reads the name.
    """

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def _function(self, node: Any) -> Any:
        node.returns = None
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if isinstance(node.target, ast.Name):
            value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            return self.generic_visit(ast.copy_location(ast.Assign([node.target], value), node))
        return self.generic_visit(node)

    visit_FunctionDef = _function  # noqa: N815 - the name is that of the node
    visit_AsyncFunctionDef = _function  # noqa: N815


def global_names(tree: ast.Module) -> set[str]:
    """Return the global names that code reads when it is defined or called, and does not define itself.

    Names that only annotations of functions use are left out.
    """
    text = ast.unparse(ast.fix_missing_locations(_Simplified().visit(tree)))
    found: set[str] = set()
    waiting = [symtable.symtable(text, "function", "exec")]
    defined = {symbol.get_name() for symbol in waiting[0].get_symbols() if symbol.is_assigned()}
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
        }
    return found - defined


def declared_globals(tree: ast.Module) -> set[str]:
    """Return the names of `global` statements: their functions may define them."""
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def has_annotations(tree: ast.Module) -> bool:
    """Whether a function or class in it has annotations."""
    return any(
        isinstance(node, ast.AnnAssign)
        or (isinstance(node, ast.arg) and node.annotation is not None)
        or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None)
        for node in ast.walk(tree)
    )


def attribute_chains(tree: ast.Module, name: str) -> set[str]:
    """Return the dotted paths that begin with a name: ``{"optimize", "optimize.minimize"}`` for ``scipy``."""
    found: set[str] = set()
    for node in ast.walk(tree):
        path: list[str] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            path.insert(0, inner.attr)
            inner = inner.value
        if path and isinstance(inner, ast.Name) and inner.id == name:
            found.add(".".join(path))
    return found
