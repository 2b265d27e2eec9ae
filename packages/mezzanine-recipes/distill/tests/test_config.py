import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(
    "wrong",
    [
        {"k_train": 1},
        {"k_test": 2},
        {"validation": 0.0},
        {"validation": 1.0},
        {"belief": "none"},
        {"average": "median"},
        {"students": ()},
        {"students": ("tail",)},
        {"student_views": "some"},
        {"consistency": -1.0},
        {"label_weight": 1.1},
        {"latent_loss": "l1"},
        {"hidden": -1},
        {"head_lr": 0.0},
        {"head_epochs": 0},
        {"patience": 0},
        {"ranks": ()},
        {"ranks": (0,)},
        {"adapter_rank": 0},
        {"adapter_layers": 0},
        {"adapter_epochs": 0},
        {"adapter_patience": 0},
        {"adapter_accumulate": 0},
        {"edits": ""},
        {"bootstrap": 99},
        {"level": 1.0},
        {"min_reduction": 0.0},
        {"max_accuracy_drop": 1.0},
        {"seeds": ()},
        {"steps": 3},
    ],
)
def test_values_out_of_range_are_refused(make_config, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        make_config(**wrong)


@pytest.mark.parametrize(
    "twice", [{"seeds": (1, 2, 1)}, {"students": ("head", "head")}, {"ranks": (2, 2)}]
)
def test_repetitions_are_refused(make_config, twice):
    with pytest.raises(ValidationError, match="once"):
        make_config(**twice)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"belief": "choices", "average": "latents", "students": ("head",)}, "average=latents"),
        ({"belief": "choices", "students": ("latent",)}, "`latent`"),
        ({"choices": (" a", " b")}, "belief=choices as well"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(make_config, settings, problem):
    with pytest.raises(ValidationError, match=problem):
        make_config(**settings)


def test_thresholds_are_those_of_the_original_by_default(make_config):
    config = make_config()
    assert (config.min_reduction, config.max_accuracy_drop) == (0.2, 0.05)


@pytest.mark.parametrize(("bootstrap", "level", "needed"), [(100, 0.97, 134), (399, 0.99, 400)])
def test_levels_that_the_resamples_cannot_resolve_are_refused(
    make_config, bootstrap, level, needed
):
    with pytest.raises(ValidationError, match=f"bootstrap={bootstrap} .* at least {needed}"):
        make_config(bootstrap=bootstrap, level=level)


def test_where_training_is_resumed_from_changes_nothing(make_config, tmp_path):
    plain, resumed = make_config(), make_config(resume=tmp_path)
    assert plain.fingerprint_payload() == resumed.fingerprint_payload()


@pytest.mark.parametrize(
    ("setting", "applies_to"),
    [
        ("student_views", "Students head, projection and latent:"),
        ("consistency", "Students head and projection:"),
        ("label_weight", "Students head, projection and adapter:"),
        ("patience", "Heads:"),
        ("adapter_patience", "Adapter:"),
    ],
)
def test_settings_of_some_students_say_of_which(make_config, setting, applies_to):
    assert type(make_config()).model_fields[setting].description.startswith(applies_to)
