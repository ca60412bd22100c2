"""Finds the uses of TensorFlow Addons in source code, and says what replaces each.

Reads the code without running it; names are followed through `import ... as`, `from ... import`,
star imports, scopes, and assignments such as `optimizers = tfa.optimizers`.
"""

import argparse
import ast
import sys
import warnings
from collections import namedtuple

from seqnlp.compat.addons_names import known_modules, known_names, replacement_of
from seqnlp.compat.source_files import Unreadable, python_files, read_cells

PACKAGE = "tensorflow_addons"
NAMES = known_names()
MODULES = known_modules()

Use = namedtuple("Use", "line column name")
Use.__doc__ = """A place where Addons is used: line and column from 1, in bytes; the name used.

The name is that below the package: empty for the package itself, with a `*` for a star import.
"""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)


def uses(tree):
    """Every `Use` in a parsed module, in order."""
    finder = _Finder()
    finder.enter(tree, tree.body)
    return sorted(set(finder.found))


class _Finder(ast.NodeVisitor):
    """Walks through scopes; each maps its names to paths below the package, or to None."""

    def __init__(self):
        self.found = []
        self.scopes = []

    def enter(self, scope, children):
        """Visits `children` with the names that they bind."""
        self.scopes.append((scope, {}))
        bindings = self.scopes[-1][1]
        own = list(_own_nodes(children))
        if isinstance(scope, _FUNCTIONS):
            own += [node for node in ast.walk(scope.args) if isinstance(node, ast.arg)]
        outer = {name for node in own if isinstance(node, ast.Global) for name in node.names}
        for node in own:
            bindings.update(dict.fromkeys(_bound_names(node)))
        for node in own:
            bindings.update(self._imported(node))
        for name in outer & set(bindings):
            self.scopes[0][1][name] = bindings.pop(name)
        for child in children:
            self.visit(child)
        self.scopes.pop()

    def _imported(self, node):
        """`{local name: path}` of what a node binds to the package or a part of it."""
        if isinstance(node, ast.Import):
            paths = {
                alias.asname or PACKAGE: _below(alias.name) if alias.asname else ""
                for alias in node.names
                if _below(alias.name) is not None
            }
            return paths
        if isinstance(node, ast.ImportFrom) and _source(node) is not None:
            prefix = _source(node)
            if node.names[0].name == "*":
                free = _public_names(prefix) - set(self.scopes[-1][1])
                return {name: _joined(prefix, name) for name in free}
            return {a.asname or a.name: _joined(prefix, a.name) for a in node.names}
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            path = self.path_of(node.value)
            if path is not None and _canonical(path) not in NAMES:
                return {node.targets[0].id: path}
        return {}

    def path_of(self, node):
        """The path below the package that an expression stands for, or None."""
        if isinstance(node, ast.Attribute):
            path = self.path_of(node.value)
            return None if path is None else _joined(path, node.attr)
        if isinstance(node, ast.Name):
            for scope, bindings in reversed(self.scopes):
                hidden = isinstance(scope, ast.ClassDef) and scope is not self.scopes[-1][0]
                if node.id in bindings and not hidden:
                    return bindings[node.id]
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            function = node.func.id if isinstance(node.func, ast.Name) else function
            if function in ("import_module", "__import__"):
                return _below(str(node.args[0].value))
        return None

    def visit(self, node):
        path = (
            self.path_of(node) if isinstance(node, ast.Attribute | ast.Name | ast.Call) else None
        )
        if path is not None:
            if not isinstance(getattr(node, "ctx", None), ast.Store):
                self.add(node, path)
        elif isinstance(node, _SCOPES):
            self.visit_scope(node)
        else:
            super().visit(node)

    def visit_scope(self, node):
        """What a scope's head evaluates belongs to the scope around it."""
        if isinstance(node, _COMPREHENSIONS):
            self.visit(node.generators[0].iter)
            self.enter(node, list(ast.iter_child_nodes(node)))
            return
        body = node.body if isinstance(node.body, list) else [node.body]
        inner = set(map(id, body))
        for child in ast.iter_child_nodes(node):
            if id(child) not in inner:
                self.visit(child)
        self.enter(node, body)

    def visit_Import(self, node):
        for alias in node.names:
            if _below(alias.name) is not None:
                self.add(alias, _below(alias.name))

    def visit_ImportFrom(self, node):
        prefix = _source(node)
        if prefix is not None:
            for alias in node.names:
                self.add(alias, _joined(prefix, alias.name))

    def visit_Constant(self, node):
        """Names of registered classes, as in `custom_objects`, are strings."""
        if isinstance(node.value, str) and node.value.startswith("Addons>"):
            leaf = node.value.removeprefix("Addons>")
            full = [name for name in NAMES if name.rpartition(".")[2] == leaf]
            self.add(node, full[0] if full else leaf)

    def add(self, node, path):
        self.found.append(Use(node.lineno, node.col_offset + 1, _canonical(path)))


def _own_nodes(children):
    """All nodes of a scope but those inside the scopes within it."""
    for child in children:
        yield child
        if not isinstance(child, _SCOPES):
            yield from _own_nodes(ast.iter_child_nodes(child))


def _bound_names(node):
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        return [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    return []


def _below(module):
    """The path of a module below the package, or None where it is not of the package."""
    if module == PACKAGE:
        return ""
    return module.removeprefix(f"{PACKAGE}.") if module.startswith(f"{PACKAGE}.") else None


def _source(node):
    """The path that a `from ... import` takes its names from, or None."""
    return _below(node.module) if node.module and node.level == 0 else None


def _joined(path, name):
    return ".".join(filter(None, [path, name]))


def _public_names(module):
    """What a star import of a module binds."""
    parts = [name.split(".") for name in NAMES | MODULES]
    inside = module.split(".") if module else []
    depth = len(inside)
    names = {part[depth] for part in parts if part[:depth] == inside and len(part) > depth}
    if depth == 2:  # a module inside a package defines names that the package lists
        names |= {part[1] for part in parts if part[0] == inside[0] and len(part) == 2}
    return names


def _canonical(path):
    """The shortest path of what `path` names, with what follows a known name left out."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        head = parts[:end]
        for name in (".".join(head), ".".join(head[:1] + head[2:]), ".".join(head[1:])):
            if name in NAMES:
                return name
    return path


def line_of(name):
    """What the report says of a name."""
    if name not in NAMES:
        if not name or name in MODULES or name.endswith("*"):
            return f"{_joined(PACKAGE, name)}: goes once nothing uses it"
        return f"tfa.{name}: is no public name of Addons 0.23"
    new, note = replacement_of(name)
    told = f"tfa.{name} -> {new}" if new else f"tfa.{name}: no replacement in seqnlp or Keras 3"
    return f"{told}; {note}" if note else told


def _uses_in(path):
    """`(place, name)` of each use in a file, and the sentences on what cannot be read."""
    problems, nodes, lines = [], [], []
    try:
        cells = read_cells(path)
    except Unreadable as problem:
        return [], [str(problem)]
    for place, source in cells:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as those on the code's string escapes
                body = ast.parse(source).body
            uses(ast.Module(body=body, type_ignores=[]))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f":{error.lineno}" if getattr(error, "lineno", None) else ""
            problems.append(f"{place}{line}: cannot be read as Python 3: {_reason(error)}")
            continue
        for node in body:
            ast.increment_lineno(node, len(lines))
        nodes += body
        lines += [(f"{place}:{n}", text) for n, text in enumerate(source.split("\n"), start=1)]
    found = []
    for use in uses(ast.Module(body=nodes, type_ignores=[])):
        place, text = lines[use.line - 1]
        before = text.encode()[: use.column - 1].decode()  # the parser counts bytes
        found.append((f"{place}:{len(before) + 1}", use.name))
    return found, problems


def _reason(error):
    return getattr(error, "msg", None) or str(error) or type(error).__name__


def main(argv):
    """Report the uses in the files and folders of `argv`; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m seqnlp.compat.tfa",
        description="Report each use of TensorFlow Addons, and what replaces it.",
        epilog="Exit status: 0 none found, 1 some found, 2 something could not be read.",
    )
    parser.add_argument("paths", nargs="+", metavar="FILE", help=".py, .ipynb or a folder")
    files, problems = python_files(parser.parse_args(argv).paths)
    found = []
    for path in files:
        in_file, unread = _uses_in(path)
        found += in_file
        problems += unread
    for place, name in found:
        print(f"{place}: {line_of(name)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    names = {name for _, name in found if name in NAMES}
    replaced = {name for name in names if replacement_of(name)[0]}
    print(
        f"Uses of TensorFlow Addons: {len(found)}, in files: {len(files)}. "
        f"Names: {len(names)}, with a replacement: {len(replaced)}."
    )
    return 2 if problems else int(bool(found))
