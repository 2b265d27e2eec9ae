"""The report of one run."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError
from mezzanine_core.presentation import Group, Picture, Presentation
from mezzanine_core.reports.page import flag_by_flag, run_page
from mezzanine_core.reports.run_report import report_html, report_of
from mezzanine_core.results import Criterion, Estimate, Verdict
from mezzanine_core.runs.history import PastRun
from mezzanine_core.runs.state import RunState, write_state

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


def test_a_report_says_what_was_found_and_how(past, parsed):
    text = parsed(report_html(past())).text
    for said in (
        "MAKE",
        "The action helps by 0.3.",
        "splits overlap",
        "0.30 [0.20, 0.40]",
        "points (toy-runs 1.5)",
        "overlap.same_start",
        "spread.collapsed",
        "8 encodes were saved (80%)",
        "flag --n-train",
        "CPython 3.11",
        "mezz rerun",
        "ab" * 32,
    ):
        assert said in text


def test_a_report_loads_nothing_and_runs_nothing(past, parsed):
    page = parsed(report_html(past()))
    assert not page.tags() & {"script", "iframe", "object", "embed", "form"}
    assert all(value.startswith("data:") for value in page.values("src"))
    assert [value for value in page.values("href") if not value.startswith(("#", "data:"))] == []
    assert "default-src 'none'" in "".join(page.values("content"))


def test_everything_that_comes_from_a_run_is_escaped(past, parsed):
    estimate = {EVIL: Estimate(value=1, low=0, high=2, per_seed=(1, 2))}
    run = past(
        metrics={EVIL: estimate},
        deltas={EVIL + "2": estimate},
        verdict=Verdict(
            label="BREAK",
            sentence=EVIL,
            criteria=(Criterion(name=EVIL, outcome="met", detail=EVIL),),
            warnings=(EVIL,),
        ),
        data={EVIL: EVIL, "overlap": {EVIL: EVIL}},
        diagnostics={EVIL: [EVIL]},
        artifacts=(f"{EVIL}.png", "//example.org/x.png", "../up.png"),
        presentation=Presentation(
            pictures=(Picture(file="a.svg", title=EVIL, caption=EVIL, alt=EVIL),),
            groups=(Group(title=EVIL, caption=EVIL, models=(EVIL,), deltas=(EVIL + "2",)),),
            words={EVIL: EVIL},
        ),
        recipe=EVIL,
        config={EVIL: EVIL},
        origins={EVIL: EVIL},
        versions={EVIL: EVIL},
        settings={EVIL: EVIL, "command": EVIL},
        timings={EVIL: 1.0, "total": 1.0},
        encoders={EVIL: {EVIL: EVIL}},
    )
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    (run.directory / "a.svg").write_text(svg)
    page = parsed(report_html(run, trace=EVIL))
    assert not page.tags() & {"script", "img"}
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "49" not in page.text
    links = page.values("href")
    assert not [link for link in links if link.startswith(("//", "http", "javascript", ".."))]


@given(name=st.text(min_size=1, max_size=30), value=st.text(max_size=30))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_names_make_a_well_formed_page(past, parsed, name, value):
    estimate = {name: Estimate(value=1, low=0, high=2)}
    run = past(metrics={name: estimate}, config={name: value}, origins={name: value})
    assert parsed(report_html(run)).text


def test_the_results_are_among_the_files_of_a_run_that_has_left_them(past):
    run = past()
    assert "results.json" not in run_page(run).files
    (run.directory / "results.json").write_text("{}")
    assert run_page(run).files[0] == "results.json"


def test_a_failed_run_is_reported_as_far_as_it_came(past, parsed, record):
    known = record(metrics={}, deltas={}, verdict=None)
    run = PastRun(
        past().directory, "failed", recipe="toy", problem="DataError: empty", record=known
    )
    text = parsed(report_html(run, trace="Traceback: here")).text
    for said in ("failed", "DataError: empty", "Traceback: here", "flag --n-train", "8 encodes"):
        assert said in text
    assert "mezz rerun" not in text


def test_a_killed_run_is_reported_by_its_state(tmp_path, parsed):
    state = RunState(
        recipe="toy",
        fingerprint="cd" * 32,
        started="2026-01-03T03:04:05Z",
        pid=1,
        command="mezz run toy",
        files=("plots/a.svg",),
    )
    write_state(tmp_path, state)
    text = parsed(report_of(tmp_path)).text
    for said in ("killed", "ended without a word", "mezz run toy", "plots/a.svg"):
        assert said in text


def test_a_directory_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "results.json").write_text('{"loss": 1}')
    with pytest.raises(DataError, match="not the results"):
        report_of(tmp_path)


def test_figures_come_by_question_and_none_is_lost(past):
    one = {"m": Estimate(value=1, low=0, high=2)}
    other = {"n": Estimate(value=1, low=0, high=2)}
    said = Presentation(groups=(Group(title="First?", models=("b", "absent")),))
    run = past(metrics={"a": one, "b": one, "c": other}, deltas={"d": other}, presentation=said)
    sections = run_page(run).sections
    assert [section.title for section in sections] == ["First?", "m", "n"]
    names = [[name for table in one.tables for name, _ in table.rows] for one in sections]
    assert names == [["b"], ["a"], ["d", "c"]]


def test_stages_account_for_all_of_the_time(past):
    stages = run_page(past()).stages
    assert [stage.name for stage in stages] == ["load", "train", "all else"]
    assert sum(stage.share for stage in stages) == pytest.approx(100, abs=0.2)


def test_a_command_is_broken_at_its_flags_unless_it_quotes():
    assert flag_by_flag("mezz run toy --n 3") == "mezz run toy \\\n    --n 3"
    assert flag_by_flag("mezz run toy --name 'a --b'") == "mezz run toy --name 'a --b'"
