"""Each law finds the components that break it; a fault breaks no law that it is not against."""

import pytest

from mezzanine_core.testing import (
    configs,
    encoders,
    executors,
    recipes,
    symmetries,
    trackers,
    worlds,
)

WITH_PROCESSES = {
    "another_process_loads_the_same",
    "items_do_not_depend_on_workers",
    "latents_are_the_same_in_another_process",
    "views_are_the_same_in_another_process",
    "fingerprint_is_the_same_in_another_process",
}
"""Laws that are left out where a fault has nothing to do with them: they take the longest."""

MODULES = {
    "world": worlds,
    "symmetry": symmetries,
    "encoder": encoders,
    "tracker": trackers,
    "executor": executors,
}

FAULTS = {
    "world": {
        "": set(),
        "no test": {"load_gives_train_and_test"},
        "empty": {"load_gives_train_and_test"},
        "unlike": {"load_gives_train_and_test"},
        "moody": {"loading_twice_gives_the_same"},
        "hashed": {"another_process_loads_the_same"},
        "numbered": {
            "loading_twice_gives_the_same",
            "cached_items_are_not_fetched_again",
            "settings_without_fingerprint_change_no_data",
        },
        "colliding": {"equal_keys_mean_equal_items"},
        "rendering": {"equal_keys_mean_equal_items_under_other_settings"},
        "leaking": {"splits_share_nothing"},
        "position": {"every_row_is_fetched_once_in_any_order"},
        "eager": {"loading_fetches_nothing"},
        "workers": {"items_do_not_depend_on_workers"},
        "float64": {"items_are_of_their_kind"},
        "infinite": {"items_are_of_their_kind"},
        "source": {"the_source_says_where_items_come_from"},
        "unfingerprinted": {"settings_without_fingerprint_change_no_data"},
        "report": {"its_report_is_plain_json"},
        "oracle": {"tasks_are_solved_by_their_oracles"},
        "start": {"tasks_are_solved_by_their_oracles"},
        "names": {"tasks_are_solved_by_their_oracles"},
        "id": {
            "fingerprint_is_that_of_the_settings",
            "fingerprint_leaves_out_what_changes_nothing",
        },
        "hash": {"fingerprint_is_the_same_in_another_process"},
        "forgets": {"fingerprint_covers_every_setting"},
        "batch": {"fingerprint_leaves_out_what_changes_nothing"},
        "name": {"fingerprint_leaves_out_what_changes_nothing"},
    },
    "encoder": {
        "": set(),
        "accepts": {"it_says_what_it_accepts"},
        "float64": {"latents_are_finite_float32_of_the_stated_length"},
        "nan": {"latents_are_finite_float32_of_the_stated_length"},
        "constant": {"different_items_have_different_latents"},
        "random": {
            "encoding_twice_gives_the_same",
            "latents_do_not_depend_on_the_batch",
            "a_stream_gives_what_batches_give",
            "settings_without_fingerprint_change_no_latent",
            "moving_to_a_device_changes_nothing",
        },
        "normalised": {"latents_do_not_depend_on_the_batch"},
        "in place": {"encoding_leaves_the_items_alone", "latents_do_not_depend_on_the_batch"},
        "no empty batch": {"an_empty_batch_gives_no_latents"},
        "drops": {"a_stream_gives_what_batches_give"},
        "stream": {"a_stream_gives_what_batches_give"},
        "hoards": {"a_stream_takes_few_batches_ahead"},
        "takes all": {"other_items_are_refused"},
        "crashes": {"other_items_are_refused"},
        "batch": {"settings_without_fingerprint_change_no_latent"},
        "to": {"moving_to_a_device_changes_nothing"},
        "device": {"moving_to_a_device_changes_nothing"},
        "hash": {"latents_are_the_same_in_another_process"},
        "report": {"its_report_is_plain_json"},
    },
    "symmetry": {
        "": set(),
        "identity": {
            "the_identity_changes_nothing",
            "views_are_distinct_and_repeatable",
            "orbits_are_exact",
            "elements_form_a_group",
        },
        "in place": {
            "acting_leaves_the_item_alone",
            "elements_are_plain_values",
            "views_are_distinct_and_repeatable",
            "orbits_are_exact",
            "draws_stay_within_the_orbit",
            "elements_form_a_group",
        },
        "unequal": {
            "elements_are_plain_values",
            "draws_come_from_the_given_generator",
            "elements_form_a_group",
        },
        "unhashable": {"elements_are_plain_values", "elements_form_a_group"},
        "still": {"some_item_is_changed"},
        "global": {"draws_come_from_the_given_generator"},
        "hash": {"views_are_the_same_in_another_process"},
        "repeats": {"orbits_are_exact", "views_are_distinct_and_repeatable"},
        "half": {"draws_stay_within_the_orbit", "elements_form_a_group"},
        "backwards": {"elements_form_a_group"},
        "inverse": {"elements_form_a_group"},
        "parts": {"other_parts_come_back_unchanged"},
        "crashes": {"what_it_cannot_act_on_is_refused"},
    },
    "tracker": {
        "": set(),
        "no step": {
            "a_run_can_be_followed",
            "a_failed_run_can_be_followed",
            "files_of_the_run_are_left_alone",
            "nothing_is_printed",
        },
        "needs results": {"a_failed_run_can_be_followed"},
        "writes": {"files_of_the_run_are_left_alone"},
        "one run": {"two_runs_can_be_followed_at_once", "nothing_is_printed"},
        "prints": {"nothing_is_printed"},
    },
    "executor": {
        "": set(),
        "no workers": {"it_says_how_many_workers_it_has"},
        "out of order": {
            "results_come_in_the_order_of_the_tasks",
            "an_error_comes_at_its_place",
            "tasks_are_taken_as_they_are_needed",
        },
        "swallows": {"an_error_comes_at_its_place"},
        "takes all": {"tasks_are_taken_as_they_are_needed"},
        "closes for good": {"closing_is_idempotent"},
    },
}
ITEMS = {"symmetry": [["a", "b", "c"], [1, 2, 3, 4]]}


@pytest.mark.parametrize(
    ("kind", "fault"), [(kind, fault) for kind, faults in FAULTS.items() for fault in faults]
)
def test_a_fault_breaks_the_law_that_it_is_against(case, broken, kind, fault):
    expected = FAULTS[kind][fault]
    concerned = WITH_PROCESSES if not fault or expected & WITH_PROCESSES else set()
    laws = [
        law for law in MODULES[kind].LAWS if law.name in concerned or law.name not in WITH_PROCESSES
    ]
    tested = case(kind, {"fault": fault}, items=ITEMS.get(kind), unused=["fault"])
    assert broken(tested, laws).keys() == expected


def test_every_law_is_broken_by_some_fault():
    caught = {name for faults in FAULTS.values() for broken in faults.values() for name in broken}
    laws = {law.name for module in MODULES.values() for law in module.LAWS}
    assert laws - caught == set()


@pytest.mark.parametrize("fault", ["twice", "left out"])
def test_a_column_that_gives_rows_twice_or_not_at_all_breaks_the_law_of_rows(case, broken, fault):
    laws = [worlds.every_row_is_fetched_once_in_any_order]
    assert broken(case("world", {"fault": fault}), laws)


def test_a_world_that_loads_something_else_is_told_so(case, broken):
    found = broken(case("world", {"fault": "not data"}), [worlds.load_gives_train_and_test])
    assert "not WorldData" in found["load_gives_train_and_test"].cause


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("faulty", set()),
        ("loose", {"an_unknown_setting_is_refused"}),
        ("thawed", {"a_configuration_cannot_be_changed"}),
        ("mute", {"every_setting_is_described"}),
        ("schemaless", {"the_configuration_has_a_json_schema"}),
        ("rigid", {"settings_survive_a_yaml_file", "settings_survive_the_command_line"}),
        ("wordless", {"settings_survive_the_command_line"}),
        ("baseless", {"the_configuration_derives_from_the_base_of_its_kind"}),
    ],
)
def test_a_faulty_configuration_breaks_the_law_that_it_is_against(case, broken, name, expected):
    tested = case("encoder", {}, name=f"{name}_encoder")
    assert broken(tested, configs.LAWS).keys() == expected


RUN = {
    "help_imports_nothing_heavy",
    "its_settings_can_be_resolved",
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, set()),
        ({"wrong": "silent"}, {"latents_are_what_was_planned"}),
        ({"wrong": "random"}, {"running_twice_gives_the_same"}),
        ({"wrong": "empty file"}, {"results_are_strict_json"}),
        ({"wrong": "picture"}, {"pictures_are_among_the_artifacts"}),
        ({"world.fault": "numbered"}, {"a_second_run_encodes_nothing"}),
    ],
    ids=str,
)
def test_a_faulty_recipe_breaks_the_law_that_it_is_against(case, broken, settings, expected):
    laws = [law for law in recipes.LAWS if law.name not in RUN]
    assert broken(case("recipe", settings), laws).keys() == expected


def test_a_setting_that_a_recipe_does_not_have_breaks_the_law_of_settings(case, broken):
    laws = [recipes.its_settings_can_be_resolved]
    assert broken(case("recipe", {"wrongs": "x"}), laws)
    assert not broken(case("recipe", {"wrong": "x"}), laws)


def test_a_recipe_that_refuses_is_run_once_for_all_laws(case, broken):
    tested = case("recipe", {"wrong": "refuses"})
    laws = [law for law in recipes.LAWS if law.name not in RUN]
    causes = {outcome.cause for outcome in broken(tested, laws).values()}
    assert causes == {"DataError: too few numbers"}
    assert [path.name for path in tested.folder.glob("first*/previous")] == []
