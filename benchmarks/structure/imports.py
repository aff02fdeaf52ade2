"""Reads the imports between the files of a checkout. It runs none of its code.

Every import statement counts, those inside functions and under `if TYPE_CHECKING:` too. `Kind`
tells them apart, because they bind less. An import by `importlib` is not seen.

Files in folders named `tests`, in hidden folders and in virtual environments are left out.
JavaScript counts as a file without imports.

`from package import name` means the file that has the name: the submodule, or the file from which
`package/__init__.py` takes the name, or else that `__init__.py`.
"""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

SUFFIXES = (".py", ".js")
FACE = "__init__.py"


class Kind(IntEnum):
    """Where an import stands, from the most binding place to the least."""

    MODULE = 0
    FUNCTION = 1
    TYPES = 2


@dataclass(kw_only=True)
class Arrow:
    """The names that one place takes from another, and the most binding kind of import."""

    names: set[str] = field(default_factory=set)
    kind: Kind = Kind.TYPES

    def add(self, names: set[str], kind: Kind) -> None:
        """Add one import statement, or another arrow."""
        self.names |= names
        self.kind = min(self.kind, kind)


Arrows = dict[tuple[str, str], Arrow]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file: its number of lines, and whether it defines a function or a class."""

    lines: int
    defines: bool


@dataclass(frozen=True, kw_only=True)
class Imports:
    """The files of a checkout by path, relative and with slashes, and the arrows between them."""

    files: dict[str, Source]
    arrows: Arrows


@dataclass(frozen=True)
class _Statement:
    """`import module`, or `from module import name`; absolute."""

    module: str
    name: str | None
    kind: Kind


def read_imports(root: Path) -> Imports:
    """Read all source files below a folder.

    Raises:
        SyntaxError: A Python file cannot be parsed.
    """
    texts = {path: (root / path).read_text("utf-8") for path in _find_files(root)}
    trees = {path: ast.parse(text, path) for path, text in texts.items() if path.endswith(".py")}
    statements = {path: list(_statements(tree, path)) for path, tree in trees.items()}
    modules = {_module_of(path): path for path in trees}
    arrows: Arrows = {}
    for path, found in statements.items():
        for each in found:
            target = _find_target(each, modules, statements)
            if target and target != path:
                names = {each.name or each.module}
                arrows.setdefault((path, target), Arrow()).add(names, each.kind)
    files = {
        path: Source(lines=text.count("\n"), defines=path in trees and _defines(trees[path]))
        for path, text in texts.items()
    }
    return Imports(files=files, arrows=arrows)


def _find_files(root: Path) -> list[str]:
    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = [
            name
            for name in inner
            if not name.startswith(".")
            and name not in ("tests", "__pycache__")
            and not (Path(folder) / name / "pyvenv.cfg").exists()
        ]
        found += [
            (Path(folder) / name).relative_to(root).as_posix()
            for name in names
            if name.endswith(SUFFIXES)
        ]
    return sorted(found)


def _module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _defines(tree: ast.Module) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in tree.body)


def _statements(node: ast.AST, path: str, kind: Kind = Kind.MODULE) -> Iterator[_Statement]:
    """Yield the imports below a node of the syntax tree of a file."""
    if isinstance(node, ast.Import):
        yield from (_Statement(alias.name, None, kind) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, path)
        yield from (_Statement(module, alias.name, kind) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, path, max(kind, _kind_of(node, child)))


def _kind_of(node: ast.AST, child: ast.AST) -> Kind:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return Kind.FUNCTION
    if isinstance(node, ast.If) and child in node.body:
        guard = node.test
        name = guard.attr if isinstance(guard, ast.Attribute) else getattr(guard, "id", "")
        return Kind.TYPES if name == "TYPE_CHECKING" else Kind.MODULE
    return Kind.MODULE


def _absolute(node: ast.ImportFrom, path: str) -> str:
    folders = path.split("/")[:-1]
    above = folders[: len(folders) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def _find_target(
    statement: _Statement, modules: dict[str, str], statements: dict[str, list[_Statement]]
) -> str | None:
    """Return the file that is imported; none if it is not of this checkout."""
    module, name = statement.module, statement.name
    if name is None or f"{module}.{name}" in modules:
        return modules.get(module if name is None else f"{module}.{name}")
    path = modules.get(module)
    if path and path.endswith(FACE):
        for each in statements[path]:
            if each.name == name and each.module != module:
                return _find_target(each, modules, statements)
    return path
