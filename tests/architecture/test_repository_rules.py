"""Rules of the repository that no linter knows: what files may say and how long they may grow."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("firmware_bridge", "controller", "sim")
SOURCE_SUFFIXES = {".py", ".c", ".h", ".css", ".html", ".js", ".ts"}
MAX_LINES = 400

# Assembled, so that this file does not name them either.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("archive", "raspberrypi", "com"),
        ("archive", "raspberrypi", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("conda", "anaconda", "org"),
    )
)


def repository_files() -> list[Path]:
    """Return every file that is tracked, or new and not ignored."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def repository_texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of each of the repository's text files."""
    for path in repository_files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def package_modules() -> list[Path]:
    return [path for path in repository_files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES]


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_no_file_names_a_package_registry() -> None:
    named = [f"{name}: {host}" for name, text in repository_texts() for host in REGISTRY_HOSTS if host in text.lower()]
    assert named == []


def test_locks_hold_hashes_and_no_address() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert {"build.txt", "dev.txt", "run.txt"} <= {lock.name for lock in locks}
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        # Continued lines joined, each is one requirement with its hashes.
        requirements = [line for line in text.replace("\\\n", "").splitlines() if line.strip()]
        assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_source_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in repository_files()
        if path.relative_to(ROOT).parts[0] in PACKAGES and path.suffix in SOURCE_SUFFIXES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}, f"split what is longer than {MAX_LINES} lines"


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in package_modules()
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    ]
    assert silent == []


def test_imports_are_absolute_and_nobody_imports_tests_or_benchmarks() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in package_modules()
        for name in imported_names(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith(".") or name.split(".")[0] in {"tests", "benchmarks"}
    ]
    assert wrong == []
