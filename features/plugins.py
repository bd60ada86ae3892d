"""Features outside the tree: of installed packages, and of files that a command names.

A package lists modules under the entry point group `tidegate.features`; `tidegate --features PATH`
names a file, or a folder of them, and passes it on to every process of the command in
TIDEGATE_FEATURES. The features of each module follow those of the catalogue in the order of their
definition: packages by name, then paths as they are given. They are declared like the catalogue's
own (`features.definition`) and follow the same rules (`features.feature_rules`).
"""

import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from features.definition import Feature
from features.errors import TidegateError
from features.feature_rules import broken_rules

GROUP = "tidegate.features"
PATHS = "TIDEGATE_FEATURES"
# Where modules of paths stand among the imported ones.
_PACKAGE = "tidegate_features_of_path"


def plugged_features(own: Iterable[Feature]) -> tuple[Feature, ...]:
    """Return the features of packages and of TIDEGATE_FEATURES; `own` are the catalogue's.

    Raises TidegateError, naming file, feature and rule, for what cannot be loaded, breaks a rule or
    has the name of another feature.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    paths = [Path(path) for path in os.environ.get(PATHS, "").split(os.pathsep) if path]
    modules = [*map(_loaded, points), *(module for path in paths for module in modules_at(path))]
    return features_in(modules, own)


def features_in(modules: Iterable[ModuleType], own: Iterable[Feature]) -> tuple[Feature, ...]:
    """Return the features that modules define, each checked; raises TidegateError."""
    known = {feature.name: feature for feature in own}
    places = {name: feature.defined_at for name, feature in known.items()}
    found: list[Feature] = []
    for module in modules:
        defined = [value for value in vars(module).values() if isinstance(value, Feature)]
        if not defined:
            raise TidegateError(f"{_where(module)}: it defines no feature; want one at least")
        for feature in defined:
            # A module may import features, also from another module of its package.
            if known.get(feature.name) is feature:
                continue
            _check(module, feature, places)
            known[feature.name] = feature
            places[feature.name] = feature.defined_at
            found.append(feature)
    for feature in found:
        for kind in feature.subjects:
            by = feature.known_by
            if by and (by not in known or kind not in known[by].subjects):
                raise TidegateError(
                    f"{feature.defined_at}: {feature.name}: `known_by` names {by}, which is no "
                    f"feature of a {kind}"
                )
    return tuple(found)


def modules_at(path: Path) -> Iterator[ModuleType]:
    """Load a Python file, or the files of a folder by name; raises TidegateError.

    Files whose names begin with `_` are left out.
    """
    files = [path] if path.is_file() else sorted(path.glob("[!_]*.py"))
    if not files:
        raise TidegateError(f"{path}: there is no Python file; want features in one, or a folder")
    for file in files:
        # Loaded by its path, and once: a second definition would be another feature.
        name = f"{_PACKAGE}.{file.resolve()}"
        if name in sys.modules:
            yield sys.modules[name]
            continue
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise TidegateError(f"{file}: want a Python file, whose name ends in .py")
        sys.modules[name] = module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise _not_loaded(str(file), error) from error
        yield module


def _loaded(point: EntryPoint) -> ModuleType:
    where = f"entry point {point.name} of {point.dist.name if point.dist else GROUP}"
    try:
        module = point.load()
    except Exception as error:
        raise _not_loaded(where, error) from error
    if not isinstance(module, ModuleType):
        raise TidegateError(f"{where}: {point.value} is no module; want `NAME = package.module`")
    return module


def _not_loaded(where: str, error: Exception) -> TidegateError:
    said = str(error) if isinstance(error, TidegateError) else f"{type(error).__name__}: {error}"
    return TidegateError(f"{where}: its features cannot be loaded: {said}")


def _check(module: ModuleType, feature: Feature, places: dict[str, str]) -> None:
    where = f"{_where(module)}: {feature.name}"
    if feature.name in places:
        place = places[feature.name]
        raise TidegateError(f"{where}: {place} has this name already; want another one")
    if broken := [*broken_rules(feature)]:
        raise TidegateError(f"{where}: {'; and '.join(broken)}")


def _where(module: ModuleType) -> str:
    return module.__file__ or module.__name__
