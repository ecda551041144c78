"""The house rules, read from the source: who imports whom, how long a file is, what is not used any more.

pages → lib.ui → runs, playground, cost, services → dataset, tokens, catalog, workspace → errors.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "lib").rglob("*.py")])

LONGEST_FILE, LONGEST_PAGE = 320, 80

# What the files of a room may import besides the room itself. Rooms are packages or modules directly in lib.
LOWER = {"errors"}
MAY_IMPORT = {
    "errors": set(),
    "workspace": LOWER,
    "tokens": LOWER,
    "catalog": LOWER,
    "dataset": LOWER | {"tokens", "workspace"},
    "cost": LOWER | {"dataset", "tokens", "catalog", "workspace"},
    "services": LOWER | {"dataset", "tokens", "catalog", "workspace"},
    "runs": LOWER | {"dataset", "tokens", "catalog", "workspace", "services", "cost"},
    "playground": LOWER | {"dataset", "tokens", "catalog", "workspace", "services", "cost"},
    "ui": LOWER | {"dataset", "tokens", "catalog", "workspace", "services", "cost", "runs", "playground"},
    "engine": LOWER | {"dataset", "tokens"},
    "cli": LOWER | {"dataset", "tokens", "catalog", "workspace", "services", "cost", "runs", "playground"},
    "__main__": LOWER | {"cli"},
}
# The engine checks files as services do; it knows no shelf and no versions.
ENGINE_READS_OF_DATASET = {"auto", "check", "example", "finding", "jsonl", "parse", "rules", "sniff"}

# Streamlit's removed and deprecated names, and what takes their place.
OLD_STREAMLIT = {
    "experimental_rerun": "st.rerun",
    "experimental_fragment": "st.fragment",
    "experimental_dialog": "st.dialog",
    "experimental_get_query_params": "st.query_params",
    "experimental_set_query_params": "st.query_params",
    "experimental_memo": "st.cache_data",
    "experimental_singleton": "st.cache_resource",
    "experimental_data_editor": "st.data_editor",
    "experimental_user": "st.user",
    "use_container_width": "width",
    "use_column_width": "width",
}
MISPLACED_NAMES = {"util", "utils", "helper", "helpers", "manager", "misc", "common"}


def place(path: Path) -> str:
    """A file as people speak of it."""
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    """The room of a module such as lib.runs.launch; "" for pages and the frame."""
    parts = name.split(".")
    return parts[1] if parts[0] == "lib" and len(parts) > 1 else ""


def imports(path: Path, *, at_start_only: bool = False) -> set[str]:
    """Every module that a file imports, with names that may be modules themselves.

    `at_start_only` leaves out what is imported inside functions and for type checkers alone.
    """
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if at_start_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and at_start_only:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}:{node.lineno} imports relatively; write the whole name"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def existing(names: set[str]) -> set[str]:
    return names & {module(path) for path in SOURCES}


def test_a_room_imports_only_what_lies_below_it() -> None:
    for path in SOURCES:
        own = room(module(path))
        used = {room(name) for name in imports(path) if name.startswith("lib.")} - {"", own}
        assert not own or own in MAY_IMPORT, f"{place(path)}: a room that the plan of the house does not know"
        above = used - (MAY_IMPORT[own] if own else {"ui"})
        assert not above, f"{place(path)} imports {above}, which does not lie below it"


def test_the_engine_knows_of_datasets_only_what_a_service_knows() -> None:
    for path in SOURCES:
        if room(module(path)) == "engine":
            used = {name.split(".")[2] for name in existing(imports(path)) if name.startswith("lib.dataset.")}
            assert used <= ENGINE_READS_OF_DATASET, place(path)


def test_nobody_imports_the_engine() -> None:
    for path in SOURCES:
        if room(module(path)) != "engine":
            engine = {name for name in imports(path) if name == "lib.engine" or name.startswith("lib.engine.")}
            assert not engine, f"{place(path)} imports {engine}; the engine is a process and is spoken to over HTTP"


def test_only_the_screen_imports_streamlit() -> None:
    for path in SOURCES:
        if room(module(path)) not in ("ui", ""):
            assert not {name for name in imports(path) if name.split(".")[0] == "streamlit"}, place(path)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module(path): existing(imports(path, at_start_only=True)) - {module(path)} for path in SOURCES}
    TopologicalSorter(graph).prepare()


def test_a_file_is_about_one_thing_and_says_which() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        assert lines <= (LONGEST_PAGE if path.parent.name == "pages" else LONGEST_FILE), f"{place(path)}: {lines} lines"
        assert ast.get_docstring(ast.parse(text)), f"{place(path)} does not say what it does"
        assert path.stem.lower() not in MISPLACED_NAMES, place(path)


def test_no_name_that_streamlit_gave_up() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        found = {old: new for old, new in OLD_STREAMLIT.items() if re.search(rf"\b{old}\b", text)}
        assert not found, f"{place(path)}: use {found}"


def test_nothing_is_left_for_later() -> None:
    for path in SOURCES:
        words = re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b|not implemented|NotImplementedError", path.read_text("utf-8"))
        assert not words, f"{place(path)} leaves something undone: {words}"


def test_the_command_line_starts_without_what_it_may_not_need() -> None:
    heavy = "{'streamlit', 'torch', 'plotly', 'pandas', 'openai', 'tiktoken'}"
    code = f"import sys, lib.__main__; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"imported at start: {done.stderr}"
