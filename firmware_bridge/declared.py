"""Strict reading of declared TOML files into validated models; it knows no particular file's meaning.

Every message names file, key, what was found and the allowed range, so that it can be mended without reading code.
"""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from firmware_bridge.errors import DeclaredFileError

MAX_DECLARED_FILE_BYTES = 1_000_000  # a site with hundreds of sensors is 50 kB; more is a wrong file
MAX_LISTED_PROBLEMS = 20
MAX_SHOWN = 80  # characters of a wrong value


class Declared(BaseModel):
    """Base of every declared table: frozen, strict types, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=Declared)


def load_declared(path: Path, model: type[Model]) -> Model:
    """Read `path` as TOML and validate it as `model`.

    Raises:
        DeclaredFileError: the file is missing, too large, not TOML, or breaks the model; the text lists every problem.
    """
    return parse_declared(read_tables(path), str(path), model)


def parse_declared(tables: dict[str, Any], source: str, model: type[Model]) -> Model:
    """Validate already parsed `tables`; `source` is named in messages."""
    try:
        return model.model_validate(_arrays_as_tuples(tables))
    except ValidationError as error:
        problems = [_describe(problem, tables, model) for problem in error.errors(include_url=False)]
        more = len(problems) - MAX_LISTED_PROBLEMS
        listed = problems[:MAX_LISTED_PROBLEMS] + ([f"... and {more} more"] if more > 0 else [])
        raise DeclaredFileError(f"{source} is not valid", remedy="\n  " + "\n  ".join(listed)) from error


def read_tables(path: Path) -> dict[str, Any]:
    """The bare tables of a TOML file; for `parse_declared`. Raises DeclaredFileError as `load_declared` does."""
    try:
        if path.exists() and not path.is_file():
            raise DeclaredFileError(f"{path} is no ordinary file", remedy="name a leakloc TOML file")
        if path.stat().st_size > MAX_DECLARED_FILE_BYTES:
            raise DeclaredFileError(
                f"{path} is larger than {MAX_DECLARED_FILE_BYTES} bytes", remedy="name a leakloc TOML file"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DeclaredFileError(
            f"cannot read {path}", remedy=f"{error.strerror or error}; check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise DeclaredFileError(f"{path} is not text", remedy="TOML is UTF-8; name a TOML file") from error
    except ValueError as error:
        raise DeclaredFileError(f"cannot read {path!r}", remedy=f"{error}; mend the path") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclaredFileError(f"{path} is not TOML", remedy=str(error)) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets thousands deep
        raise DeclaredFileError(f"{path} is not a sensible file", remedy=str(error)[:MAX_SHOWN]) from error


def _arrays_as_tuples(value: object) -> Any:  # noqa: ANN401 - what TOML holds
    """TOML arrays become tuples: models are frozen, and strict validation takes no list for a tuple."""
    if isinstance(value, dict):
        return {key: _arrays_as_tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_arrays_as_tuples(item) for item in value)
    return value


def _describe(problem: ErrorDetails, tables: dict[str, Any], model: type[Declared]) -> str:
    location = _as_in_file(problem["loc"], tables)
    key = _dotted(location)
    message = str(problem["msg"])
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(location[-1]), sorted(_keys_beside(location, tables, model)), n=1)
        return f"{key}: unknown key; " + (
            f"check its spelling: did you mean {near[0]}?" if near else "remove it or check its spelling"
        )
    if problem["type"] == "missing":
        return f"{key}: missing, but required"
    found = problem.get("input")
    shown = f" (found {_clipped(repr(found))})" if isinstance(found, str | int | float | bool) else ""
    return f"{key}: {message[:1].lower()}{message[1:]}{shown}"


def _keys_beside(location: tuple[str | int, ...], found: Any, model: type[Declared]) -> set[str]:  # noqa: ANN401
    """The keys that the table at `location` less its last part may have; of every kind, if it says not of which."""
    schema = model.model_json_schema()
    tables = _branches(schema, schema)
    for part in location[:-1]:
        inner: list[Any] = []
        for table in tables:
            if isinstance(part, int):
                inner += [table["items"]] if "items" in table else table.get("prefixItems", [])[part : part + 1]
            else:
                inner += [table.get("properties", {}).get(part, table.get("additionalProperties", {}))]
        tables = [branch for one in inner for branch in _branches(one, schema)]
        found = found[part]
    of_kind = [table for table in tables if _may_be(table, found)]
    return {key for table in of_kind or tables for key in table.get("properties", {})}


def _may_be(table: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether what was found says what this table of a JSON schema always says, such as its kind."""
    fixed = {key: one for key, one in table.get("properties", {}).items() if "const" in one}
    return all(found.get(key, one.get("default")) == one["const"] for key, one in fixed.items())


def _branches(table: object, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables of a JSON schema that one stands for: a reference's, or each of a union's."""
    if not isinstance(table, dict):
        return []
    if "$ref" in table:
        return _branches(schema["$defs"][str(table["$ref"]).rsplit("/", 1)[-1]], schema)
    choices = [*table.get("anyOf", ()), *table.get("oneOf", ())]
    return [branch for one in choices for branch in _branches(one, schema)] if choices else [table]


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _as_in_file(location: tuple[str | int, ...], tables: dict[str, Any]) -> tuple[str | int, ...]:
    """`location` without the tags of unions, which pydantic puts in and which are no keys of the file."""
    kept: list[str | int] = []
    at: Any = tables
    for part in location[:-1]:
        if part in at if isinstance(at, dict) else isinstance(at, list | tuple) and isinstance(part, int):
            kept.append(part)
            at = at[part]
    return (*kept, *location[-1:])


def _dotted(location: tuple[str | int, ...]) -> str:
    dotted = ""
    for part in location:
        dotted += f"[{part}]" if isinstance(part, int) else f".{part}" if dotted else part
    return dotted or "(whole file)"
