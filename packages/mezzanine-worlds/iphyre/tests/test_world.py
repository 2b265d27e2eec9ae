import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzanine_core.errors import DataError, MissingDependencyError
from mezzanine_worlds_iphyre.catalogue import BLOCKS, GAMES, MAX_BLOCKS
from mezzanine_worlds_iphyre.config import IphyreConfig
from mezzanine_worlds_iphyre.samples import Click, Sample
from mezzanine_worlds_iphyre.world import ACTION_NAMES, IphyreWorld, action_features


def _text(keys: np.ndarray) -> list[bytes]:
    return [key.tobytes() for key in keys]


@st.composite
def windows(draw: st.DrawFn) -> Sample:
    """Samples of one game at one start and Δ, so that they differ in their clicks alone."""
    blocks = draw(st.lists(st.integers(0, 5), unique=True, max_size=6))
    steps = draw(
        st.lists(st.integers(100, 339), unique=True, min_size=len(blocks), max_size=len(blocks))
    )
    clicks = tuple(sorted(map(Click, steps, blocks)))
    return Sample("hinder_fill", clicks, start=100, delta=240)


def _decoded(features: np.ndarray, sample: Sample) -> tuple[Click, ...]:
    clicked, when = features[:MAX_BLOCKS], features[MAX_BLOCKS:]
    return tuple(
        sorted(
            Click(sample.start + round(float(when[block]) * sample.delta), int(block))
            for block in np.flatnonzero(clicked)
        )
    )


@given(windows())
def test_action_features_decode_to_the_clicks_of_the_window(sample: Sample) -> None:
    (features,) = action_features([sample])
    assert _decoded(features, sample) == sample.action == sample.clicks
    assert features.dtype == np.float32
    assert ((features >= 0) & (features <= 1)).all()


@given(windows(), windows())
def test_different_clicks_give_different_features(a: Sample, b: Sample) -> None:
    one, other = action_features([a, b])
    assert np.array_equal(one, other) is (a.clicks == b.clicks)


def test_the_features_are_what_their_names_say() -> None:
    sample = Sample("hole", (Click(40, 0), Click(130, 3)), start=100, delta=60)
    (features,) = action_features([sample])
    named = dict(zip(ACTION_NAMES, features.tolist(), strict=True))
    assert named == dict.fromkeys(ACTION_NAMES, 0.0) | {"clicked_3": 1.0, "when_3": 0.5}


@settings(deadline=None, max_examples=20)
@given(
    st.sampled_from(["single", "window"]),
    st.integers(1, 5),
    st.integers(0, 10**6),
    st.sampled_from(["keep", "drop"]),
)
def test_equal_transition_keys_mean_equal_frames_and_actions(scheme, each, seed, overlap) -> None:
    config = IphyreConfig(
        n_train=60,
        n_test=30,
        delta_seconds=0.1,
        max_steps=20,
        action_scheme=scheme,
        per_episode_samples=each,
        seed=seed,
        overlap=overlap,
    )
    data = IphyreWorld(config).load()
    known: dict[bytes, tuple] = {}
    for name in ("train", "test"):
        split = data.transitions(name)
        for key, *rest in zip(
            _text(split.keys),
            _text(split.obs.keys),
            _text(split.next_obs.keys),
            split.action.tolist(),
            strict=True,
        ):
            assert known.setdefault(key, rest) == rest
    assert len(set(map(repr, known.values()))) == len(known)


def test_splits_have_the_sizes_quotas_and_shapes_that_were_asked_for(small) -> None:
    data = IphyreWorld(small(games="hole,seesaw,fill")).load()
    train, test = data.transitions("train"), data.transitions("test")
    assert (len(train), len(test)) == (40, 20)
    assert data.report["splits"]["train"]["quotas"] == {"hole": 14, "seesaw": 13, "fill": 13}
    assert data.report["splits"]["test"]["quotas"] == {"hole": 7, "seesaw": 7, "fill": 6}
    assert train.action.shape == (40, 12)
    assert train.obs.kind == train.next_obs.kind == "image"


def test_the_images_before_and_after_are_those_of_the_simulator(small, fetched, reference) -> None:
    config = small(n_train=6, games="seesaw", action_scheme="window", image_size=600)
    split = IphyreWorld(config).load().transitions("train")
    obs, next_obs = fetched(split.obs), fetched(split.next_obs)
    for row, frame in enumerate(split.next_obs.frames):
        start = split.obs.frames[row].step
        both = reference(frame.game, frame.clicks, [start, frame.step])
        np.testing.assert_array_equal(np.stack([obs[row], next_obs[row]]), both)


def test_episodes_are_numbered_alike_in_both_splits(small) -> None:
    """All samples without a click in a game are of one trajectory, whichever split they are in."""
    data = IphyreWorld(small(n_train=80, n_test=40)).load()
    quiet: dict[str, set[int]] = {"hole": set(), "seesaw": set()}
    active: dict[str, set[int]] = {"hole": set(), "seesaw": set()}
    for split in map(data.transitions, ("train", "test")):
        for frame, action, episode in zip(
            split.next_obs.frames, split.action, split.episode.tolist(), strict=True
        ):
            (active if action.any() else quiet)[frame.game].add(episode)
    assert all(len(ids) == 1 for ids in quiet.values())
    assert not set.union(*quiet.values()) & set.union(*active.values())
    assert len(active["hole"]) > 10


def test_samples_of_one_episode_share_its_number(small) -> None:
    config = small(per_episode_samples=4, p_no_action=0, games="hole", overlap="keep")
    episode = IphyreWorld(config).load().transitions("train").episode
    assert (episode.reshape(10, 4) == episode.reshape(10, 4)[:, :1]).all()
    assert len(set(episode.tolist())) == 10


def test_loading_twice_gives_the_same(small) -> None:
    one, other = (IphyreWorld(small()).load() for _ in range(2))
    assert one.report == other.report
    for name in ("train", "test"):
        a, b = one.transitions(name), other.transitions(name)
        np.testing.assert_array_equal(a.keys, b.keys)
        np.testing.assert_array_equal(a.obs.keys, b.obs.keys)
        np.testing.assert_array_equal(a.action, b.action)


def test_a_larger_training_split_begins_with_the_smaller_one_in_each_game(small) -> None:
    less = IphyreWorld(small(n_train=20)).load().transitions("train").keys
    more = IphyreWorld(small(n_train=50)).load().transitions("train").keys
    for place in range(2):
        np.testing.assert_array_equal(
            more[25 * place : 25 * place + 10], less[10 * place : 10 * place + 10]
        )


def test_frames_keep_their_keys_whatever_split_size_or_seed_they_are_drawn_with(small) -> None:
    frames: dict[object, bytes] = {}
    for config in (small(), small(n_train=70), small(seed=5), small(action_scheme="window")):
        data = IphyreWorld(config).load()
        for split in map(data.transitions, ("train", "test")):
            for column in (split.obs, split.next_obs):
                for frame, key in zip(column.frames, _text(column.keys), strict=True):
                    assert frames.setdefault(frame, key) == key
    assert len(set(frames.values())) == len(frames)


@pytest.mark.parametrize("overlap", ["drop", "keep"])
@pytest.mark.parametrize("each", [1, 3])
def test_the_report_counts_what_the_keys_show(small, overlap: str, each: int) -> None:
    config = small(n_train=150, n_test=80, overlap=overlap, per_episode_samples=each)
    data = IphyreWorld(config).load()
    train, test = data.transitions("train"), data.transitions("test")
    counts = data.report["overlap"]
    ours, theirs = set(_text(train.obs.keys)), _text(test.obs.keys)
    shared = set(_text(train.keys))
    left = sum(key in shared for key in _text(test.keys))
    assert counts["policy"] == overlap
    assert counts["shared_transitions_left"] == left
    assert left == (0 if overlap == "drop" else counts["shared_transitions_found"])
    assert counts["shared_initial_states"] == len(ours & set(theirs))
    assert counts["samples_with_shared_initial_state"] == sum(key in ours for key in theirs)
    both = ours | set(_text(train.next_obs.keys))
    assert counts["shared_frames"] == len(both & (set(theirs) | set(_text(test.next_obs.keys))))
    known = set(train.episode.tolist())
    assert counts["samples_of_shared_episodes"] == sum(e in known for e in test.episode.tolist())
    for name, split in (("train", train), ("test", test)):
        report = data.report["splits"][name]
        quiet = ~split.action.any(axis=1)
        assert report["samples"] == len(split)
        assert report["distinct_transitions"] == len(set(_text(split.keys)))
        assert report["distinct_frames"] == len(
            {*_text(split.obs.keys), *_text(split.next_obs.keys)}
        )
        assert report["episodes"] == len(set(split.episode.tolist()))
        assert report["no_action_fraction"] == quiet.mean()
        assert report["no_action_fraction_by_game"]["seesaw"] == quiet[-len(split) // 2 :].mean()


def test_the_window_is_reported_in_steps(small) -> None:
    report = IphyreWorld(small(delta_seconds=1.0)).load().report
    assert (report["delta_steps"], report["fps"]) == (60, 60)


def test_a_game_without_a_share_is_reported_as_such(small) -> None:
    report = IphyreWorld(small(games="hole,seesaw,fill", n_test=2)).load().report
    assert report["splits"]["test"]["quotas"]["fill"] == 0
    assert report["splits"]["test"]["no_action_fraction_by_game"]["fill"] is None


def test_every_game_loads_and_draws_its_frames(small, fetched) -> None:
    data = IphyreWorld(small(games="all", n_train=40, n_test=40, p_no_action=0)).load()
    split = data.transitions("train")
    assert [frame.game for frame in split.next_obs.frames] == list(GAMES)
    before, after = fetched(split.obs), fetched(split.next_obs)
    assert (before != after).any(axis=(1, 2, 3)).all()
    blocks = np.array([BLOCKS[game] for game in GAMES])
    assert (np.argmax(split.action[:, :MAX_BLOCKS], axis=1) < blocks).all()


def test_loading_imports_no_simulator(python) -> None:
    script = (
        "import sys\n"
        "from mezzanine_worlds_iphyre.config import IphyreConfig\n"
        "from mezzanine_worlds_iphyre.world import IphyreWorld\n"
        "world = IphyreWorld(IphyreConfig(n_train=50, n_test=20))\n"
        "world.load(), world.fingerprint()\n"
        "print([name for name in ('pygame', 'pymunk', 'iphyre') if name in sys.modules])"
    )
    assert python(script).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"games": "hole"},
        {"games": "seesaw,hole"},
        {"n_train": 41},
        {"n_test": 21},
        {"delta_seconds": 0.4},
        {"max_steps": 121},
        {"action_scheme": "window"},
        {"p_no_action": 0.3},
        {"per_episode_samples": 2},
        {"image_size": 17},
        {"overlap": "keep"},
    ],
    ids=str,
)
def test_the_fingerprint_covers_every_setting(small, change: dict) -> None:
    assert IphyreWorld(small(**change)).fingerprint() != IphyreWorld(small()).fingerprint()


def test_the_fingerprint_does_not_depend_on_how_the_world_was_called(small) -> None:
    long = small(name="iphyre@mezzanine-worlds-iphyre")
    assert IphyreWorld(long).fingerprint() == IphyreWorld(small()).fingerprint()


def test_the_source_names_the_simulator_and_the_size_of_frames_but_no_sampling(small) -> None:
    source = IphyreWorld(small()).source()
    assert set(source["versions"]) == {"iphyre", "pygame", "pymunk"}
    assert source == IphyreWorld(small(seed=9, n_train=7, games="fill")).source()
    assert source != IphyreWorld(small(image_size=32)).source()


def test_too_few_distinct_transitions_are_an_error_of_the_data(small) -> None:
    with pytest.raises(DataError, match="hole has 91 distinct transitions"):
        IphyreWorld(small(p_no_action=1, n_test=400)).load()


def test_a_simulator_that_does_not_work_is_found_before_anything_is_drawn(
    small, monkeypatch, tmp_path
) -> None:
    info = tmp_path / "pymunk-7.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pymunk\nVersion: 7.0.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match=r"pymunk.*7\.0\.0 is installed"):
        IphyreWorld(small()).load()
