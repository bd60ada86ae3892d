"""TOML files that people write: read into a validated model, or written once as a template."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from features.errors import TidegateError, in_own_words

Model = TypeVar("Model", bound=BaseModel)


def fault_in_words(fault: ErrorDetails) -> str:
    """Return one fault of a file as its key and the reason."""
    key = ".".join(map(str, fault["loc"])) or "the file"
    return f"{key}: {in_own_words(fault['msg'])}"


def read_home_file(
    model: type[Model],
    file: Path,
    refused: Callable[[str], TidegateError] = TidegateError,
    *,
    missing: str = "no such file",
    in_words: Callable[[ErrorDetails], str] = fault_in_words,
    check: Callable[[dict[str, Any]], None] = lambda tables: None,
    content: bytes | None = None,
) -> Model:
    """Read a TOML file into its model; raises `refused` with every fault in words.

    `missing` is advice for when there is no file. `check` sees the tables before the model does and
    raises ValueError for faults that concern more than one key. `content` is that of a file that
    was already read.
    """
    try:
        tables = tomllib.loads((file.read_bytes() if content is None else content).decode())
        check(tables)
        return model.model_validate(tables)
    except FileNotFoundError:
        raise refused(f"{file}: {missing}") from None
    except OSError as error:
        raise refused(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise refused(f"{file} is not TOML: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise refused(f"{file}: {'; '.join(map(in_words, faults))}") from None
    except ValueError as error:
        raise refused(f"{file}: {error}") from None


def write_home_file(
    file: Path, text: str, refused: Callable[[str], TidegateError] = TidegateError
) -> None:
    """Write a template for people to fill in; raises `refused` instead of overwriting a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise refused(f"{file} is there already; it is left as it is") from None
