"""Tests that README and docs name only links, paths, commands and settings that exist."""

import ast
import functools
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from understudy.cli.tree import tree
from understudy.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[3]
PACKAGE = CHECKOUT / "backend" / "understudy"
PAGES = sorted(
    path.relative_to(CHECKOUT).as_posix()
    for path in (
        *CHECKOUT.glob("*.md"),
        *(CHECKOUT / "docs").rglob("*.md"),
        CHECKOUT / "benchmarks" / "README.md",
        CHECKOUT / "backend" / "models" / "README.md",
    )
)
# Folders that a path in the text may start from: paths of the package are written without `backend/understudy/`.
ROOTS = [CHECKOUT, CHECKOUT / "backend", PACKAGE, CHECKOUT / "benchmarks", CHECKOUT / "frontend"]
# Paths that a reader or a build makes, and that a fresh checkout lacks; NAME stands for a word of the reader's.
MADE = re.compile(
    r"(backend/)?(var|models|understudy/page)/(?!README)|recordings/|clips/|FOLDER/|dist/|\.venv/"
    r"|benchmarks/\.(envs|results)/|\.\./shared/|(model\.(json|onnx)|report\.json|probes\.npz|examples\.csv)$|.*NAME"
)
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
SUFFIXES = (
    ".py",
    ".md",
    ".sh",
    ".lua",
    ".json",
    ".toml",
    ".lock",
    ".csv",
    ".ts",
    ".tsx",
    ".mjs",
    ".svg",
    ".webp",
    ".wav",
)


def read(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def headings(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def list_empty_headers(text: str) -> list[str]:
    """The header lines of tables in which a cell is empty: a screen reader has no name for its column."""
    lines = without_blocks(text).splitlines()
    headers = [line for line, rule in pairwise(lines) if re.fullmatch(r"\|[\s:|-]+\|", rule)]
    return [line for line in headers if "" in (cell.strip() for cell in line.strip("|").split("|"))]


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> list[str]:
    """The text of code blocks and of inline code."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`]+)`", without_blocks(text))]


def commands(snippets: list[str]) -> list[str]:
    """Every call of `understudy` in pieces of code, with continued lines joined and comments cut off."""
    lines = [line for snippet in snippets for line in snippet.replace("\\\n", " ").splitlines()]
    calls = (re.match(r"(?:\S*[/\\])?understudy (\w.*)", re.split(r"\s#\s", line)[0].strip()) for line in lines)
    return [call[1] for call in calls if call]


_build_command = functools.cache(get_command)  # it takes longer than all checks of a page


def check_command(call: str) -> None:
    """Fail unless `call`, without the word `understudy`, names a command and options that exist."""
    words, node = shlex.split(call), _build_command(tree)
    while isinstance(node, TyperGroup) and words and words[0] in node.commands:
        node = node.commands[words.pop(0)]
    assert isinstance(node, TyperCommand) or words == [] or words[0].startswith("--"), f"no command: {call}"
    known = {option for parameter in node.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
    assert unknown == [], f"no such option: {call}"


@pytest.mark.parametrize("page", PAGES)
def test_every_column_of_a_table_has_a_name(page: str) -> None:
    assert list_empty_headers(read(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (CHECKOUT / page).parent / path if path else CHECKOUT / page
        if not place.exists() or (anchor and anchor not in headings(place.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_the_tree_exists(page: str) -> None:
    missing = []
    for snippet in code(read(page)):
        words = re.split(r"[\s\"'@]+", snippet.replace("\\", "/"))
        for word in words:
            # A single word is a path by its ending; in a command only a word with a folder in it is one.
            is_path = word.endswith(SUFFIXES) and ("/" in word or len(words) == 1)
            is_path = is_path or (word.endswith("/") and len(words) == 1)
            if PATH.fullmatch(word) and is_path and not MADE.match(word):
                roots = [*ROOTS, (CHECKOUT / page).parent]
                exists = any((root / word).exists() for root in roots)
                # A module may be named alone beside the path of its folder.
                exists = exists or ("/" not in word and any(PACKAGE.rglob(word)))
                missing += [] if exists else [word]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists_with_its_options(page: str) -> None:
    for call in commands(code(read(page))):
        check_command(call)


def test_every_command_that_an_error_or_a_log_line_names_exists() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "1" for part in node.values]
                text = "".join(str(part) for part in parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            found += commands(re.findall(r"`([^`\n]+)`", text))
    assert len(found) > 20
    for call in found:
        check_command(call)


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_exists(page: str) -> None:
    known = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}
    # Read by the command line, by the page's development server and by the tests.
    known |= {"UNDERSTUDY_URL", "UNDERSTUDY_KEY", "UNDERSTUDY_TEST_DATA"}
    assert set(re.findall(r"UNDERSTUDY_[A-Z_]+", read(page))) - known == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_of_make_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        verb for snippet in code(read(page)) for verb in re.findall(r"^make ([a-z-]+)", snippet, flags=re.MULTILINE)
    }
    assert named - targets == set()


@pytest.mark.parametrize("place", [*PAGES, "backend/understudy"])
def test_nobody_is_sent_to_another_projects_package(place: str) -> None:
    """`understudy` on the Python package index belongs to somebody else."""
    files = (CHECKOUT / place).rglob("*.py") if (CHECKOUT / place).is_dir() else [CHECKOUT / place]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert re.search(r"pip install (-\S+ )*['\"]?understudy(?!_audio-)\b", text) is None, path
