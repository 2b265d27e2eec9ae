"""What a recipe is given to run with."""

import io
import time

import numpy as np
import pytest

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.builtin.noop import NoopConfig, NoopTracker
from mezzanine_core.cache import LatentCache
from mezzanine_core.context import RunContext, repetition_rng
from mezzanine_core.errors import UnknownNameError
from mezzanine_core.progress import Progress
from mezzanine_core.results import CacheCounts
from mezzanine_core.runs.state import read_state


@pytest.fixture
def parts(toy):
    return toy[1]


@pytest.fixture
def context(toy, tmp_path):
    def make(**given):
        base = {
            "out": tmp_path / "out",
            "cache": LatentCache(tmp_path / "cache"),
            "executor": LocalExecutor(LocalConfig(workers=1)),
            "tracker": NoopTracker(NoopConfig()),
            "registry": toy[0],
            "progress": Progress(quiet=True),
        }
        return RunContext(**{**base, **given})

    return make


def test_the_same_settings_give_the_same_component(context, parts):
    ctx = context()
    settings = parts.PointsConfig(name="points", n_train=3)
    assert ctx.world(settings) is ctx.world(parts.PointsConfig(name="points", n_train=3))
    assert ctx.world(settings) is not ctx.world(parts.PointsConfig(name="points", n_train=4))
    assert ctx.encoder(parts.ScaleConfig(name="scale")).dim == 3


def test_an_encoder_is_moved_to_the_device_of_the_run(context, parts):
    ctx = context(device="cuda:1")
    ctx.encoder(parts.ScaleConfig(name="scale"))
    ctx.device = "cpu"
    ctx.encoder(parts.ScaleConfig(name="scale"))
    assert parts.DEVICES == ["cuda:1", "cpu"]


def test_an_unknown_component_is_an_error(context, parts):
    with pytest.raises(UnknownNameError, match="pints"):
        context().world(parts.PointsConfig(name="pints"))


def test_latents_are_counted_over_all_requests(context, parts):
    ctx = context()
    encoder = ctx.encoder(parts.ScaleConfig(name="scale"))
    column = parts.PointColumn("source", np.array([3, 4, 3]))
    first = ctx.latents(column, encoder, "train")
    second = ctx.latents(column, encoder, "test")
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, 2 * np.stack([parts.point(n) for n in (3, 4, 3)]))
    assert ctx.counts == CacheCounts(requested=6, unique=4, cached=2, materialised=2, encoded=2)
    assert ctx.views[encoder.fingerprint()]["test"] == {"items": 3, "distinct": 2}


def test_a_stage_that_is_entered_twice_is_timed_as_one(context):
    ctx = context()
    with ctx.stage("train"):
        pass
    once = ctx.timings["train"]
    with ctx.stage("train"):
        pass
    assert ctx.timings["train"] > once > 0


def test_a_stage_that_fails_is_timed_too(context):
    ctx = context()
    with pytest.raises(ValueError, match="broken"), ctx.stage("train"):
        raise ValueError("broken")
    assert set(ctx.timings) == {"train"}


def test_within_a_run_files_are_listed_before_and_after_each_stage(context, claim, tmp_path):
    with claim(tmp_path / "out") as directory:
        ctx = context(directory=directory)
        with ctx.stage("draw"):
            ctx.artifact("figures/a.png").write_text("")
            assert read_state(directory.path).files == ("figures/a.png",)
            (ctx.out / "b.png").write_text("")
        assert "b.png" in read_state(directory.path).files


def test_outside_of_a_run_artifacts_have_a_place_too(context, tmp_path):
    path = context().artifact("figures/a.png")
    assert path == tmp_path / "out" / "figures" / "a.png"
    assert path.parent.is_dir()


def test_repetitions_have_streams_of_their_own():
    def draw(seed, repetition):
        return repetition_rng(seed, repetition).integers(2**63, size=4).tolist()

    assert draw(1, 2) == draw(1, 2)
    streams = [tuple(draw(seed, repetition)) for seed in range(3) for repetition in range(3)]
    assert len(set(streams)) == 9


def test_a_world_shows_long_work_where_the_run_does(context, parts):
    ctx = context()
    assert ctx.world(parts.PointsConfig(name="points")).progress is ctx.progress


def test_a_stage_is_timed_and_shown(context):
    stream = io.StringIO()
    ctx = context(progress=Progress(stream=stream, grace=0.0, interval=0.1))
    with ctx.stage("import"):
        time.sleep(0.6)
    assert ctx.timings["import"] >= 0.6
    assert stream.getvalue().startswith("import: 0 s so far\n")
