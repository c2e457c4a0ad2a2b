"""Recipes: read, overridden, and their mistakes named."""

import pytest

from posecli.errors import PosecliError, UsageError
from posecli.train.recipe import DataShare, fields_of, load_recipe, parse_override
from posecli.weights.locate import models_dir


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", sorted(path.stem for path in (models_dir() / "recipes").glob("*.toml")))
def test_recipes_that_come_along_are_read(name):
    recipe = load_recipe(name)
    assert recipe.data or name == "paper"  # whose data --dataset names
    assert not recipe.data or sum(entry.share for entry in recipe.data) == pytest.approx(1)


def test_fields_data_and_defaults(written):
    recipe = load_recipe(
        written(
            'task = "encoder"\nlearning_rate = 1\nsizes = [[0.0, 192, 144], [0.5, 256, 192]]\n'
            '[augmentation]\nscale = 0.1\n[[data]]\nname = "clips"\nshare = 1\nstride = 4\n'
        )
    )
    assert (recipe.task, recipe.learning_rate, recipe.batch) == ("encoder", 1.0, 32)
    assert recipe.sizes == ((0.0, 192, 144), (0.5, 256, 192))
    assert recipe.data == (DataShare(name="clips", share=1.0, stride=4),)
    assert recipe.augmentation == {"scale": 0.1}


def test_overrides_win(written):
    path = written('task = "encoder"\nsteps = 10\n')
    assert load_recipe(path, {"steps": 20, "init": "none"}).steps == 20


def test_length_that_is_given_replaces_the_recipes(written):
    by_epochs = written('task = "temporal"\nepochs = 20\nmilestones = [6, 12]\nschedule = "milestones"\n')
    assert load_recipe(by_epochs).epochs == 20
    short = load_recipe(by_epochs, {"steps": 5, "milestones": [0.5]})
    assert (short.epochs, short.steps) == (0, 5)
    by_steps = written('task = "temporal"\nsteps = 10\n')
    assert load_recipe(by_steps, {"epochs": 2}).epochs == 2


def test_fields_that_overrides_touch():
    changes = {"steps": 3, "model": "a", "model.temporal.stmm": False, "augmentation.scale": 0.1}
    assert fields_of(changes) == {"steps", "model", "overrides", "augmentation"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = 3", "task"),
        ('task = "encoder"\nstep = 3', "unknown step; known: task, model"),
        ('task = "encoder"\nsteps = "many"', "steps = 'many' must be of type int"),
        ('task = "encoder"\nbf16 = 1', "bf16 = 1 must be of type bool"),
        ('task = "encoder"\nschedule = "cosinus"', "schedule = 'cosinus' is none of cosine, milestones"),
        ('task = "encoder"\nloss = "l2"', "loss = 'l2' is none of cross_entropy, mse"),
        ('task = "encoder"\n[augmentation]\nscales = 1.0', r"\[augmentation\]: unknown scales"),
        ('task = "encoder"\n[[data]]\nname = "coco"\nweight = 1', r"\[\[data\]\]: unknown weight"),
        ("task = ", "can't be read as TOML"),
        ('task = "encoder"\nbatch = 0', "batch = 0 must be at least 1"),
        ('task = "encoder"\naccumulate = 0', "accumulate = 0 must be at least 1"),
        ('task = "encoder"\nepochs = -1.0', "epochs = -1.0 must be at least 0"),
        ('task = "encoder"\nepochs = 20\nsteps = 5', "steps and epochs both say how long the run is"),
        ('task = "encoder"\nepochs = 2\nsizes = [[0.0, 8, 8]]', "give steps instead of epochs"),
        ('task = "encoder"\nmilestones = [6, 12]', "milestones above 1 are epochs"),
    ],
)
def test_mistakes_are_named(written, text, message):
    with pytest.raises(PosecliError, match=f"mine.toml.*{message}"):
        load_recipe(written(text))


def test_unknown_recipe_lists_the_known(tmp_path):
    with pytest.raises(PosecliError, match=r"recipe 'b' is unknown; known: .*encoder-t.*\.toml"):
        load_recipe("b")
    with pytest.raises(PosecliError, match="there is no such recipe file"):
        load_recipe(str(tmp_path / "b.toml"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps=20", ("steps", 20)),
        ("learning_rate=1e-3", ("learning_rate", 0.001)),
        ("init=runs/a b.safetensors", ("init", "runs/a b.safetensors")),
        ('init="none"', ("init", "none")),
        ("bf16=false", ("bf16", False)),
        ("init=a=b", ("init", "a=b")),
    ],
)
def test_override_is_spelt_as_in_toml(text, expected):
    assert parse_override(text) == expected


def test_override_without_a_value_is_named():
    with pytest.raises(UsageError, match="write field=value"):
        parse_override("steps")


def test_dotted_names_reach_the_model_and_the_augmentation(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text(
        'task = "temporal"\n[augmentation]\nrotation = 20.0\nscale = 0.1\n'
        "[overrides]\ntemporal.stmm = false\ninput.frames = 3\n"
    )
    changes = dict(map(parse_override, ["augmentation.rotation=5.0", 'model.temporal.routes=["time"]']))
    recipe = load_recipe(str(file), changes | {"model.skeleton": "jhmdb"})
    assert recipe.augmentation == {"rotation": 5.0, "scale": 0.1}
    assert recipe.overrides == {
        "temporal.stmm": False, "input.frames": 3, "temporal.routes": ["time"], "skeleton": "jhmdb",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modle.skeleton": "jhmdb"}, "unknown modle; known: .*overrides"),
        ({"steps.a": 1}, "'steps' is no table"),
        ({"overrides": 3}, "overrides must be a table"),
        ({"augmentation": "none"}, "augmentation must be a table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, changes, message):
    file = tmp_path / "r.toml"
    file.write_text('task = "temporal"\nsteps = 3\n')
    with pytest.raises(PosecliError, match=message):
        load_recipe(str(file), changes)
