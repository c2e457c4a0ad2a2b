"""A training recipe: everything that shapes a run, read from TOML, any field overridable.

`models/recipes/NAME.toml` hold the recipes of the embedded models; a user's own file works the same.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError, UsageError

CHOICES = {"schedule": ("cosine", "milestones"), "loss": ("cross_entropy", "mse")}

LENGTHS = {"steps", "epochs"}  # of a run: one of them
LEAST = {"steps": 1, "epochs": 0, "batch": 1, "accumulate": 1, "log_every": 1, "evaluate_every": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class DataShare:
    """One dataset of a recipe and its share in the samples."""

    name: str  # a name in posecli.data.datasets.DATASETS, or synthetic
    share: float = 1.0
    split: str = ""  # sub-jhmdb: which of its three, 1, 2 or 3
    stride: int = 1  # sequences: every stride-th labelled frame
    size: int = 1000  # synthetic: how many different scenes
    labels: str = (
        "all"  # coco: all, human to leave out what a teacher labelled, or boxed: people without labels too
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """See models/recipes/ for examples."""

    task: str  # detector, encoder or temporal
    model: str = "glsmamba-t"  # the preset whose part is trained, or a TOML file
    overrides: dict[str, Any] = field(default_factory=dict)  # of the model's fields, by dotted name
    encoder: str = ""  # temporal: the frozen encoder's checkpoint, hub, none, or "" for the embedded one
    data: tuple[DataShare, ...] = ()
    steps: int = 3000
    epochs: float = 0.0  # instead of steps: times that as many samples are seen as all the data has
    batch: int = 32  # samples a step, over all processes
    accumulate: int = 1  # parts that a process's share of the batch is worked on in, one after the other
    learning_rate: float = 1e-3
    backbone_rate: float = 1.0  # factor on the learning rate of pretrained parameters
    schedule: str = "cosine"  # cosine, or milestones: x0.1 at each
    milestones: tuple[float, ...] = (0.3, 0.6)  # shares of the run, or epochs; the paper's: 6 and 12 of 20
    warmup: int = 200  # steps
    weight_decay: float = 0.01
    clip_norm: float = 5.0
    ema: float = 0.998  # decay of the averaged weights that are exported; 0 turns it off
    bf16: bool = True
    seed: int = 0
    sizes: tuple[tuple[float, int, int], ...] = ()  # (from this share of the steps on, height, width)
    loss: str = "cross_entropy"  # of heatmaps: cross_entropy, or mse (the paper's)
    sigma: float = 2.0  # of the target Gaussian, cells of a 64x48 heatmap
    teacher: str = ""  # an ONNX file that is distilled: MoveNet Thunder (encoder) or NanoDet (detector)
    distillation: float = 0.7  # the teacher's weight: of its heatmaps, or in how sure somebody is there
    human_weight: float = 2.0  # encoder: how much more than a teacher's a human's label counts
    augment: bool = True  # false: samples as they are, whatever augmentation and degrade say
    augmentation: dict[str, Any] = field(default_factory=dict)
    degrade: bool = True  # temporal: single frames of a window are blurred, covered, darkened
    degradation: dict[str, Any] = field(default_factory=dict)  # temporal: how often (posecli.data.degrade)
    strides: tuple[int, ...] = (1, 2)  # temporal: frames from one to the next of a window; one is drawn
    cache_features: bool = False  # temporal: keep what the frozen encoder says on disk; needs augment = false
    init: str = "imagenet"  # imagenet, none, or a checkpoint of the part that is trained
    checkpoint_seconds: float = 300.0
    evaluate_every: int = 500  # steps
    keep_best: bool = False  # export the weights of the best evaluation too
    log_every: int = 20  # steps

    def portable(self) -> Recipe:
        """The recipe as it travels in a weight file: where this machine kept the files is nobody's business."""
        names = {name: Path(getattr(self, name)).name for name in ("init", "encoder", "model", "teacher")}
        return dataclasses.replace(self, **names)  # type: ignore[arg-type]


def load_recipe(source: str, overrides: dict[str, Any] | None = None) -> Recipe:
    """A recipe by name (models/recipes/NAME.toml) or path, with fields overridden.

    Raises:
        PosecliError: there is no such recipe, it is not TOML, or it has a field that recipes lack.
    """
    path = _find(source)
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PosecliError(f"{path}: can't be read as TOML ({error})") from None
    for name, value in (overrides or {}).items():
        for other in LENGTHS - {name} if name in LENGTHS else ():
            table.pop(other, None)
        _set(table, name, value)
    return _build(table, str(path))


def _set(table: dict[str, Any], name: str, value: Any) -> None:
    """steps, augmentation.rotation (a field of a table), or model.temporal.stmm (a field of the model)."""
    section, _, field_name = name.partition(".")
    if not field_name:
        table[name] = value
        return
    section = "overrides" if section == "model" else section
    if not isinstance(table.setdefault(section, {}), dict):
        raise PosecliError(f"--set {name}: '{section}' is no table")
    table[section][field_name] = value


def fields_of(changes: Mapping[str, Any]) -> set[str]:
    """The recipe's fields that overrides by name touch."""
    return {"overrides" if name.startswith("model.") else name.partition(".")[0] for name in changes}


def flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names: {"temporal": {"stmm": False}} is {"temporal.stmm": False}."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def parse_override(text: str) -> tuple[str, Any]:
    """`--set field=value`, the value in TOML's spelling (a bare word is a string)."""
    name, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"--set {text}: write field=value")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def _find(source: str) -> Path:
    from posecli.weights.locate import models_dir

    path = Path(source)
    if path.suffix == ".toml":
        if not path.is_file():
            raise PosecliError(f"{path}: there is no such recipe file")
        return path
    folder = models_dir() / "recipes"
    path = folder / f"{source}.toml"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise PosecliError(f"recipe '{source}' is unknown; known: {names}; or give a .toml file")
    return path


def _build(table: dict[str, Any], where: str) -> Recipe:
    from posecli.data.augment import Augmentation
    from posecli.data.degrade import Degradation

    shares = tuple(_dataclass(DataShare, entry, f"{where} [[data]]") for entry in table.pop("data", []))
    for name in ("overrides", "augmentation", "degradation"):
        if not isinstance(table.get(name, {}), dict):
            raise PosecliError(f"{where}: {name} must be a table")
    table["overrides"] = flatten(table.get("overrides", {}))
    table = {name: _tuples(value) for name, value in table.items()}
    recipe = _dataclass(Recipe, {**table, "data": shares}, where)
    _dataclass(Augmentation, recipe.augmentation, f"{where} [augmentation]")
    _dataclass(Degradation, recipe.degradation, f"{where} [degradation]")
    for name, known in CHOICES.items():
        if getattr(recipe, name) not in known:
            raise PosecliError(f"{where}: {name} = '{getattr(recipe, name)}' is none of {', '.join(known)}")
    for name, least in LEAST.items():
        if getattr(recipe, name) < least:
            raise PosecliError(f"{where}: {name} = {getattr(recipe, name)} must be at least {least}")
    _check_length(table, recipe, where)
    return recipe


def _check_length(table: dict[str, Any], recipe: Recipe, where: str) -> None:
    if table.keys() >= LENGTHS:
        raise PosecliError(f"{where}: steps and epochs both say how long the run is: leave one out")
    if recipe.epochs and recipe.sizes:
        raise PosecliError(f"{where}: sizes change at shares of the steps: give steps instead of epochs")
    if not recipe.epochs and any(milestone > 1 for milestone in recipe.milestones):
        raise PosecliError(f"{where}: milestones above 1 are epochs: give epochs, or shares of the steps")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _dataclass(kind: Any, table: dict[str, Any], where: str) -> Any:
    known = [f.name for f in dataclasses.fields(kind)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise PosecliError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(known)}")
    defaults = {f.name: f.default for f in dataclasses.fields(kind)}
    try:
        return kind(**{name: _like(defaults[name], value, name) for name, value in table.items()})
    except TypeError as error:
        raise PosecliError(f"{where}: {error}") from None


def _like(default: Any, value: Any, name: str) -> Any:
    """The value, which must be of the default's type where that is a plain one; whole numbers may be floats."""
    kind = type(default)
    if kind is float and type(value) is int:
        return float(value)
    if kind in (bool, int, float, str) and type(value) is not kind:
        raise TypeError(f"{name} = {value!r} must be of type {kind.__name__}")
    return value
