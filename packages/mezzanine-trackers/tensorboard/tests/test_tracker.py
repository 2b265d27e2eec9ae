"""The tracker ``tensorboard``: what it writes is what TensorBoard reads."""

import json
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util

from mezzanine_core.errors import DataError
from mezzanine_core.runs.state import read_state


def read(out):
    """What TensorBoard itself reads of a run."""
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"tensors": 0})
    return events.Reload()


def text(events, tag):
    (event,) = events.Tensors(tag)
    return tensor_util.make_ndarray(event.tensor_proto)[0].decode()


def test_curves_keep_the_steps_of_the_recipe(run):
    _, out = run()
    for model in ("first", "second"):
        found = read(out).Scalars(f"train/{model}/loss")
        assert [event.step for event in found] == [0, 10, 20]
        assert [event.value for event in found] == pytest.approx([1, 1 / 11, 1 / 21])


def test_metrics_and_gains_of_the_results_are_scalars(run):
    _, out = run()
    found = {tag: read(out).Scalars(tag)[0].value for tag in read(out).Tags()["scalars"]}
    assert found["test/first/r@10"] == 0.5
    assert found["metrics/first/r@10"] == 0.5
    assert found["gains/first_minus_second/r@10"] == 0.25


def test_pictures_are_shown_and_other_files_are_listed(run):
    _, out = run()
    events = read(out)
    assert events.Tags()["images"] == ["artifacts/montage.png"]
    (image,) = events.Images("artifacts/montage.png")
    assert (image.width, image.height) == (6, 4)
    with (
        Image.open(BytesIO(image.encoded_image_string)) as shown,
        Image.open(out / "montage.png") as written,
    ):
        assert shown.tobytes() == written.tobytes()
    for name in ("montage.png", "model.bin", "plots/curve.svg"):
        assert f"`{out / name}`" in text(events, "artifacts")


def test_settings_and_the_verdict_are_texts(run):
    record, out = run(seeds="5")
    events = read(out)
    said = text(events, "config")
    assert said.startswith("`curves`")
    code = "\n".join(line[4:] for line in said.splitlines() if line.startswith("    "))
    assert json.loads(code) == record.config
    assert text(events, "verdict") == "**MAKE** It learns.\n\n- few items"


@pytest.mark.parametrize(("then", "status"), [("end", "SUCCESS"), ("refuse", "FAILURE")])
def test_runs_can_be_compared_by_their_settings_and_how_they_ended(run, tmp_path, then, status):
    try:
        run(then=then, seed="7")
    except DataError:
        assert then == "refuse"
    events = read(tmp_path / "out")
    said = {}
    for tag in (metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG):
        said[tag] = events.SummaryMetadata(tag).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(said[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["seed"].number_value == 7
    assert start.hparams["recipe"].string_value == "curves"
    assert start.hparams["world.name"].string_value == "nothing"
    end = metadata.parse_session_end_info_plugin_data(said[metadata.SESSION_END_INFO_TAG])
    assert end.status == getattr(api_pb2, f"STATUS_{status}")


def test_a_run_that_failed_keeps_the_curves_so_far(run, tmp_path):
    with pytest.raises(DataError):
        run(then="refuse")
    assert len(read(tmp_path / "out").Scalars("train/second/loss")) == 3


def test_the_event_file_belongs_to_the_run(run):
    run()
    _, out = run()
    assert len(list((out / "tensorboard").iterdir())) == 1
    assert any(name.startswith("tensorboard/") for name in read_state(out).files)


def test_neither_torch_nor_tensorflow_is_imported():
    script = (
        "import sys; from mezzanine_trackers_tensorboard import tracker, summaries;"
        "sys.exit(bool({'torch', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
