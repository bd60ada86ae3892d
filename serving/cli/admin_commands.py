"""Commands for administrative acts, derived from declarations in `serving/administration.py`."""

import inspect
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from serving.administration import ACTS, AdminAct, Administration, Done
from serving.cli.opened_home import CommandOutput, OpenedHome, on_home


def command_of(name: str) -> Callable[..., None]:
    """Return the command of one act, with an argument and options from its input model."""
    act = ACTS[name]

    def run(at: OpenedHome, **given: Any) -> CommandOutput:
        return _carried_out(act, at, given)

    return _command(run, act.name, act.run.__doc__, _options(act))


def command_of_choice(name: str, help_text: str, *names: str) -> Callable[..., None]:
    """Return one command for several acts on one object, chosen by its options.

    An act without fields of its own becomes a flag; fields of the others become options.
    """
    acts = [ACTS[each] for each in names]
    # An act whose only field is the name has nothing to state, so a flag is enough.
    flags = {_flag(act): act for act in acts if len(_fields(act)) == 1}
    options = {
        option.name: option if option.name == "name" else _optional(option)
        for act in acts
        for option in _options(act)
    }
    for flag, act in flags.items():
        text = (act.run.__doc__ or "").splitlines()[0]
        options[flag] = _parameter(flag, bool, False, typer.Option(_spelt(flag), help=text))

    def run(at: OpenedHome, **given: Any) -> CommandOutput:
        chosen = [act for flag, act in flags.items() if given[flag]]
        stating = [act for act in acts if len(_fields(act)) > 1]
        chosen += [
            act
            for act in stating
            if any(given.get(field) for field in _fields(act) if field != "name")
        ]
        if not chosen and len(stating) == 1:
            # A team may have neither office nor members nor rule, so no option at all is valid too.
            chosen = stating
        if len(chosen) != 1:
            raise typer.BadParameter("want one change at a time: see --help")
        return _carried_out(chosen[0], at, {f: given[f] for f in _fields(chosen[0])})

    return _command(run, name, help_text, [*options.values()])


def _carried_out(act: AdminAct[Any], at: OpenedHome, given: dict[str, Any]) -> CommandOutput:
    try:
        asked = act.inputs.model_validate(
            {name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as refusal:
        # Without the input, which may be a password.
        first = refusal.errors(include_input=False, include_url=False)[0]
        option = _spelt(_option_name(str(first["loc"][0]), act.inputs.model_fields))
        raise typer.BadParameter(first["msg"], param_hint=option) from None
    administration = Administration(at.stores, at.by, at.now, at.known_offices, at.settings.purpose)
    return _answer(act.run(administration, asked))


def _answer(done: Done) -> CommandOutput:
    if done.secret:
        # Only a digest of the secret is stored.
        once = "This is the only time that it is shown."
        return CommandOutput(done.facts, (done.secret,), (once, *done.notes))
    return CommandOutput(done.facts or {"done": done.says}, (), (done.says, *done.notes))


def _command(
    run: Callable[..., CommandOutput],
    name: str,
    help_text: str | None,
    options: list[inspect.Parameter],
) -> Callable[..., None]:
    home = inspect.Parameter("at", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # typer reads options from the signature.
    run.__signature__ = inspect.Signature([home, *options])  # type: ignore[attr-defined]  # typer reads it
    run.__name__, run.__doc__ = name, help_text
    return on_home(run)


def _fields(act: AdminAct[Any]) -> dict[str, FieldInfo]:
    """Return the fields that a person enters; a page's revision is not among them."""
    return {name: field for name, field in act.inputs.model_fields.items() if not field.exclude}


def _options(act: AdminAct[Any]) -> list[inspect.Parameter]:
    return [*_parameters(_fields(act))]


def _parameters(fields: dict[str, FieldInfo]) -> Iterator[inspect.Parameter]:
    for name, field in fields.items():
        is_required = field.is_required()
        default: Any = inspect.Parameter.empty if is_required else None
        if name == "name":
            yield _parameter(name, str, default, typer.Argument(help=field.description))
            continue
        kind = _type_of(name, field.annotation)
        if kind is bool:
            default = False
        bounds = {
            {"ge": "min", "le": "max"}[bound]: getattr(each, bound)
            for each in _metadata(field)
            for bound in ("ge", "le")
            if hasattr(each, bound)
        }
        option = typer.Option(
            _spelt(_option_name(name, fields)),
            help=field.description,
            **(bounds if kind is int else {}),
        )
        if kind is int and field.default is not None:
            default = field.default
        is_optional = default is None
        yield _parameter(name, kind | None if is_optional else kind, default, option)


def _optional(option: inspect.Parameter) -> inspect.Parameter:
    """Return the option made optional, because other acts of the command do not use it."""
    if option.default is not inspect.Parameter.empty:
        return option
    kind, info = get_args(option.annotation)
    return option.replace(default=None, annotation=Annotated[kind | None, info])


def _metadata(field: FieldInfo) -> list[Any]:
    """Return the bounds of a field, including those inside an optional type."""
    inner = [
        each.metadata if hasattr(each, "metadata") else [each]
        for part in get_args(field.annotation)
        for each in getattr(part, "__metadata__", ())
    ]
    return [*field.metadata, *(bound for each in inner for bound in each)]


def _parameter(name: str, kind: Any, default: Any, option: Any) -> inspect.Parameter:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=default, annotation=Annotated[kind, option])


def _type_of(name: str, annotation: Any) -> Any:
    """Return the type of a field for typer: enumerations for literals, lists for tuples."""
    if get_origin(annotation) is Annotated:
        return _type_of(name, get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
        return _type_of(name, annotation)
    if get_origin(annotation) is tuple:
        return list[_type_of(name, get_args(annotation)[0])]  # type: ignore[misc]  # made at run time
    if get_origin(annotation) is Literal:
        return StrEnum(name.title(), [(word, word) for word in get_args(annotation)])
    return annotation


def _option_name(name: str, fields: dict[str, FieldInfo]) -> str:
    """Return the name of an option; a list is given one by one, as `--office A --office B`."""
    field = fields.get(name)
    is_list = field is not None and get_origin(_type_of(name, field.annotation)) is list
    return name.removesuffix("s") if is_list else name


def _flag(act: AdminAct[Any]) -> str:
    return act.name.removesuffix("_account").removesuffix("_team")


def _spelt(name: str) -> str:
    return f"--{name.replace('_', '-')}"
