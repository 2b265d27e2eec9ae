"""Laws of worlds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
from mezzanine_core.cache import LatentCache
from mezzanine_core.errors import ConfigError, DataError, MezzError
from mezzanine_core.executors import Executor
from mezzanine_core.fingerprint import canonical_json
from mezzanine_core.latents import encode_column
from mezzanine_core.progress import Progress
from mezzanine_core.results import plain_json
from mezzanine_core.symmetries import value_key
from mezzanine_core.tasks import PLAYABLE
from mezzanine_core.testing import fingerprints
from mezzanine_core.testing.fetching import Places, fetched, places_of, sample_rows, shown
from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError, law, require
from mezzanine_core.testing.portraits import columns_of, data_portrait, differences
from mezzanine_core.testing.probe import Counted, ProbeConfig, ProbeEncoder, watching
from mezzanine_core.testing.subject import Case, cannot_have, instance_of
from mezzanine_core.worlds import Column, Labelled, Transitions, WorldData

SAMPLING = ("seed", "n_train", "n_test")
"""Settings that say which items are drawn, by the names that they have in every world."""

_REPEATED = 6
"""Keys that occur more than once whose items are compared."""

_SHARED = 3
"""Keys shared with each variation whose items are compared."""

_PARALLEL = 6
"""Rows of a column that worker processes materialise."""

_ACTS = 3
"""Acts of a task."""


@law("Let load() return a WorldData with the splits train and test, of one kind, not empty.")
def load_gives_train_and_test(case: Case) -> None:
    """The world loads the splits train and test, alike in all but their items."""
    data = _data(case)
    splits = data.splits
    require({"train", "test"} <= set(splits), f"the splits are {sorted(splits)}")
    for name, split in splits.items():
        require(isinstance(split, Labelled | Transitions), f"{name} is a {type(split).__name__}")
        require(len(split) > 0, f"the split {name} is empty")
    train, test = splits["train"], splits["test"]
    require(type(train) is type(test), "train and test hold different kinds of split")
    for attribute in ("label_names", "action_names", "state_names"):
        one, other = getattr(train, attribute, None), getattr(test, attribute, None)
        require(one == other, f"{attribute} of train and test are {one} and {other}")
    for name, kinds in _item_kinds(data).items():
        require(len(kinds) == 1, f"the columns {name} are of the kinds {sorted(kinds)}")


@law("Seed every draw by the settings, and load the same whatever was loaded before.")
def loading_twice_gives_the_same(case: Case) -> None:
    """The same world loads the same again, and so does another of the same settings."""
    first = data_portrait(_data(case))
    for world in (case.instance, case.make()):
        changed = differences(first, data_portrait(world.load()))
        require(not changed, f"loading again gives other {changed}")


@law("Derive keys by mezzanine_core.fingerprint.item_keys or content_keys, and sort what is a set.")
def another_process_loads_the_same(case: Case) -> None:
    """Another process loads the same data with the same keys."""
    changed = differences(data_portrait(_data(case)), case.elsewhere["data"])
    require(not changed, f"another process loads other {changed}")


@law("Put all that tells items apart into the key: file and row, or every input of the renderer.")
def equal_keys_mean_equal_items(case: Case) -> None:
    """Items that share a key, in a split or across splits, are equal."""
    places = places_of(_data(case))
    repeated = [key for key, found in places.items() if len(found) > 1]
    if not repeated:
        raise NotApplicableError("no key occurs twice in these data")
    for key in _spread(repeated, _REPEATED):
        items = {value_key(_item(case, *place)) for place in _ends(places[key])}
        require(len(items) == 1, f"the key {key.hex()} belongs to different items")


@law("Put settings that change how items look (rendering, size, …) into what keys derive from.")
def equal_keys_mean_equal_items_under_other_settings(case: Case) -> str | None:
    """An item has the same key under other settings only where it is the same item."""
    base, compared = places_of(_data(case)), 0
    for name, config in case.varied.fingerprinted.items():
        try:
            other = places_of(instance_of(case, config, name).load())
        except MezzError as error:
            raise cannot_have(config, name, error) from error
        shared = sorted(base.keys() & other.keys())
        compared += len(shared)
        for key in _spread(shared, _SHARED):
            one, another = _item(case, *base[key][0]), _item(case, *other[key][0])
            same = value_key(one) == value_key(another)
            require(same, f"with another {name}, the key {key.hex()} belongs to another item")
    if not compared:
        raise NotApplicableError("no setting that was changed leaves a key as it is")
    return case.untried()


@law("Draw test items apart from training items; where overlap is wanted, report it as 'overlap'.")
def splits_share_nothing(case: Case) -> None:
    """No two splits share a sample, unless the world reports their overlap."""
    data = _data(case)
    if "overlap" in data.report and case.config.model_dump().get("overlap") == "keep":
        raise NotApplicableError("these settings keep the overlap, and the world reports it")
    keys = {
        name: {key.tobytes() for key in _sample_keys(split)} for name, split in data.splits.items()
    }
    for name, other in _pairs(sorted(keys)):
        shared = len(keys[name] & keys[other])
        require(not shared, f"{name} and {other} share {shared} samples")


@law("Yield each requested row once, as a pair of row numbers and as many items.")
def every_row_is_fetched_once_in_any_order(case: Case) -> None:
    """fetch() gives every row that it is asked for once, the same whatever is asked besides."""
    for label, column in _columns(_data(case)):
        rows = sample_rows(column)
        together = fetched(column, rows, case.executor)
        turned = fetched(column, rows[::-1], case.executor)
        few = fetched(column, rows[:2], case.executor)
        for row, item in together.items():
            same = value_key(item) == value_key(turned[row])
            require(same, f"{label}: row {row} is another item where rows come in another order")
        for row, item in few.items():
            same = value_key(item) == value_key(together[row])
            require(same, f"{label}: row {row} is another item where fewer rows are asked for")
        require(
            not list(column.fetch(np.zeros(0, np.int64), case.executor)),
            f"{label}: no rows gave items",
        )


@law("Seed each item by itself, and pass module-level functions to executor.map.")
def items_do_not_depend_on_workers(case: Case) -> None:
    """Two worker processes give the items that this thread gives."""
    with LocalExecutor(LocalConfig(workers=2)) as workers:
        for label, column in _columns(_data(case)):
            rows = sample_rows(column)[:_PARALLEL]
            here, there = (fetched(column, rows, where) for where in (case.executor, workers))
            for row, item in here.items():
                same = value_key(item) == value_key(there[row])
                require(same, f"{label}: row {row} is another item where workers compute it")


@law("Give uint8 [B, H, W, 3] RGB images, finite float32 [B, D] vectors, or texts.")
def items_are_of_their_kind(case: Case) -> None:
    """Items have the type, shape and range that the kind of their column says."""
    for label, column in _columns(_data(case)):
        shapes = set()
        for row, item in fetched(column, sample_rows(column), case.executor).items():
            require(
                _fits(item, column.kind), f"{label}: row {row}, {column.kind}, is {shown(item)}"
            )
            shapes.add(np.shape(item))
        require(
            column.kind != "vector" or len(shapes) <= 1, f"{label}: vectors of the shapes {shapes}"
        )


@law("Leave rendering and decoding to fetch(), and derive keys from what is known without it.")
def loading_fetches_nothing(case: Case) -> None:
    """load() materialises no items: it does not call fetch() of the columns that it gives."""
    fetching: list[str] = []
    with ExitStack() as watched:
        for column in {type(column) for _, column in _columns(_data(case))}:
            watched.enter_context(watching(column, fetching))
        case.make().load()
    require(not fetching, f"load() called {', '.join(sorted(set(fetching)))}")


@law("Materialise items in fetch() alone, and keep the keys of items that were there before.")
def cached_items_are_not_fetched_again(case: Case) -> None:
    """What was encoded once is not materialised again, by another instance of the world either."""
    cache = LatentCache(case.folder / "cache")
    encoder = ProbeEncoder(ProbeConfig())
    rows: dict[str, Any] = {}
    first = _encoded(case, _data(case), encoder, cache, rows)
    again = _encoded(case, case.make().load(), encoder, cache, rows)
    for label, (latents, _) in first.items():
        found, asked = again[label]
        require(not asked, f"{label}: {asked} items were fetched again, though they are cached")
        require(np.array_equal(latents, found), f"{label}: cached items belong to other rows now")


@law("Name the data set and revision, or the simulator, versions and rendering in source().")
def the_source_says_where_items_come_from(case: Case) -> None:
    """source() gives JSON values that name something, and no seed or size of a split enters."""
    base = canonical_json(case.instance.source())
    require(case.instance.source(), "source() is empty")
    for name in SAMPLING:
        config = {**case.varied.fingerprinted, **case.varied.unfingerprinted}.get(name)
        if config is not None:
            found = canonical_json(instance_of(case, config, name).source())
            require(found == base, f"another {name} gives another source")


@law("Do not mark a setting UNFINGERPRINTED that changes which data are loaded.")
def settings_without_fingerprint_change_no_data(case: Case) -> None:
    """Settings marked UNFINGERPRINTED leave all data as they are."""
    changed = case.varied.unfingerprinted
    if not changed:
        raise NotApplicableError("every setting is fingerprinted")
    base = data_portrait(_data(case))
    for name, config in changed.items():
        other = differences(base, data_portrait(instance_of(case, config, name).load()))
        require(not other, f"another {name} loads other {other}")


@law("Return plain values in report: text, numbers, lists and dictionaries with text as keys.")
def its_report_is_plain_json(case: Case) -> None:
    """The report of the data holds JSON values."""
    try:
        plain_json(_data(case).report)
    except (TypeError, ValueError) as error:
        raise BrokenLawError(f"the report holds no JSON values: {error}") from error


@law("Let tasks() follow from count, steps and seed, and each oracle solve its task.")
def tasks_are_solved_by_their_oracles(case: Case) -> None:
    """The same seed draws the same tasks, starts look alike, and the oracle of each solves it."""
    if PLAYABLE not in case.component.spec.tags:
        raise NotApplicableError("the world is not playable")
    try:
        drawn, again = (case.instance.tasks(2, _ACTS, 1) for _ in range(2))
    except (ConfigError, DataError) as error:
        raise NotApplicableError(f"there are no such tasks: {error.message}") from error
    names, others = ([task.name for task in tasks.tasks] for tasks in (drawn, again))
    require(names == others, f"the same seed draws the tasks {names} and {others}")
    for task in drawn.tasks:
        with task:
            starts = {value_key(task.start()) for _ in range(2)}
            require(len(starts) == 1, f"{task.name}: starting again looks different")
            require(1 <= len(task.oracle) <= task.steps, f"{task.name}: the oracle is too long")
            for features in task.oracle:
                step = task.act(features)
                if step.over:
                    break
            require(step.solved, f"{task.name}: its oracle does not solve it")


def _data(case: Case) -> WorldData:
    """What the world loads, loaded once for all laws."""
    if "data" not in case.shared:
        data = case.instance.load()
        if not isinstance(data, WorldData):
            raise BrokenLawError(
                f"load() returned a {type(data).__name__}, not WorldData",
                hint="Return mezzanine_core.worlds.WorldData.",
            )
        case.shared["data"] = data
    found: WorldData = case.shared["data"]
    return found


def _columns(data: WorldData) -> Iterator[tuple[str, Column]]:
    for name, split in data.splits.items():
        for part, column in columns_of(split).items():
            yield f"{name}/{part}", column


def _item_kinds(data: WorldData) -> Mapping[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for label, column in _columns(data):
        kinds.setdefault(label.partition("/")[2], set()).add(column.kind)
    return kinds


def _sample_keys(split: Labelled | Transitions) -> Iterable[Any]:
    return split.keys if isinstance(split, Transitions) else split.input.keys


def _item(case: Case, column: Column, row: int) -> Any:
    return fetched(column, np.array([row], np.int64), case.executor)[row]


def _ends(places: Places) -> Places:
    return [places[0], places[-1]]


def _spread(keys: list[bytes], count: int) -> list[bytes]:
    """Some of the keys, from the first to the last."""
    if len(keys) <= count:
        return keys
    return [keys[place] for place in np.linspace(0, len(keys) - 1, count).astype(int)]


def _pairs(names: list[str]) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(names):
        yield from ((name, other) for other in names[place + 1 :])


def _fits(item: Any, kind: str) -> bool:
    if kind == "text":
        return isinstance(item, str)
    if not isinstance(item, np.ndarray):
        return False
    if kind == "image":
        return item.dtype == np.uint8 and item.ndim == 3 and item.shape[2] == 3 and item.size > 0
    return item.dtype == np.float32 and item.ndim == 1 and bool(np.isfinite(item).all())


def _encoded(
    case: Case,
    data: WorldData,
    encoder: ProbeEncoder,
    cache: LatentCache,
    rows: dict[str, Any],
) -> dict[str, tuple[Any, int]]:
    """Latents of some rows of each column, and how many items were materialised for them."""
    found = {}
    executor: Executor = case.executor
    for label, column in _columns(data):
        some = Counted(column, rows.setdefault(label, sample_rows(column)))
        latents, _ = encode_column(
            some, encoder, cache, executor, Progress(quiet=True), label=label
        )
        found[label] = latents, some.asked
    return found


LAWS: tuple[Law, ...] = (
    load_gives_train_and_test,
    loading_twice_gives_the_same,
    another_process_loads_the_same,
    equal_keys_mean_equal_items,
    equal_keys_mean_equal_items_under_other_settings,
    splits_share_nothing,
    every_row_is_fetched_once_in_any_order,
    items_do_not_depend_on_workers,
    items_are_of_their_kind,
    loading_fetches_nothing,
    cached_items_are_not_fetched_again,
    the_source_says_where_items_come_from,
    settings_without_fingerprint_change_no_data,
    its_report_is_plain_json,
    tasks_are_solved_by_their_oracles,
    *fingerprints.LAWS,
)
