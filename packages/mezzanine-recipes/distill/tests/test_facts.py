import numpy as np
import pytest

from mezzanine_core.fingerprint import content_keys
from mezzanine_core.results import Estimate
from mezzanine_recipes_distill.facts import Facts, clusters_of, overlap, weaknesses


def facts(items=200, single=0, truncated=0, known=True):
    numbers = np.arange(items)
    return Facts(
        items, items, numbers < 0, numbers < single, numbers < truncated if known else None
    )


GOOD = Estimate(value=0.9, low=0.85, high=0.95)


def said(train=None, test=None, leaked=0, seeds=3, base=GOOD, commonest=0.5):
    return weaknesses(train or facts(), test or facts(), leaked, seeds, base, commonest)


def test_sound_data_have_nothing_to_say():
    assert said() == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"leaked": 3}, "3 of 200 test items are in training too"),
        ({"test": facts(truncated=56)}, "28% of the test items have a view that the encoder cuts"),
        ({"train": facts(truncated=56)}, "28% of the training items"),
        ({"test": facts(single=20)}, "10% of the test items have a single realisation"),
        ({"test": facts(items=40)}, "only 40 different test items"),
        ({"seeds": 1}, "only one seed"),
        ({"commonest": 0.86}, "not surely better than always giving the most frequent answer"),
    ],
)
def test_each_weakness_is_said(settings, words):
    found = said(**settings)
    assert len(found) == 1
    assert words in found[0]


def test_encoder_that_does_not_count_tokens_is_not_said_to_cut_off():
    unknown = facts(known=False)
    assert said(test=unknown, train=unknown) == []
    assert unknown.report()["truncated_share"] is None


def test_report_gives_shares():
    report = facts(items=200, single=50, truncated=20).report()
    assert report["single_realisation_share"] == 0.25
    assert report["truncated_share"] == 0.1
    assert report["exact_orbit_share"] == 0


def test_equal_items_are_of_one_cluster():
    keys = content_keys(["a", "b", "a", "c", "b"])
    clusters = clusters_of(keys)
    assert (clusters[0], clusters[1]) == (clusters[2], clusters[4])
    assert len(set(clusters.tolist())) == 3


def test_overlap_finds_items_that_are_in_training():
    found = overlap(content_keys(["a", "x", "b"]), content_keys(["b", "a", "c"]))
    assert found.tolist() == [True, False, True]
