"""Laws of encoders."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mezzanine_core.encoders import Latents
from mezzanine_core.errors import MezzError
from mezzanine_core.results import plain_json
from mezzanine_core.symmetries import value_key
from mezzanine_core.testing import fingerprints
from mezzanine_core.testing.items import batch_of, rows_of
from mezzanine_core.testing.laws import BrokenLawError, Law, NotApplicableError, law, require
from mezzanine_core.testing.subject import ITEM_KINDS, Case, instance_of
from mezzanine_core.worlds import Batch

_AHEAD = 300
"""Batches that a stream offers; an encoder that takes them all first holds a data set in memory."""


@law("List the kinds of item that encode() takes in the class attribute `accepts`.")
def it_says_what_it_accepts(case: Case) -> None:
    """The encoder accepts one kind of item at least, of those that there are."""
    accepts = case.instance.accepts
    kinds = set(ITEM_KINDS)
    require(accepts and set(accepts) <= kinds, f"it accepts {accepts!r}, not some of {kinds}")


@law("Return np.float32 of shape [len(batch), dim], with neither NaN nor infinities.")
def latents_are_finite_float32_of_the_stated_length(case: Case) -> None:
    """A batch of B items gives finite float32 [B, dim], and dim is a positive number."""
    encoder, items = case.instance, case.items
    dim = encoder.dim
    require(isinstance(dim, int) and dim > 0, f"dim is {dim!r}, no length of a latent")
    latents = encoder.encode(items)
    require(isinstance(latents, np.ndarray), f"latents are a {type(latents).__name__}, no array")
    found = f"{latents.dtype} {list(latents.shape)}"
    expected = f"float32 {[len(items), dim]}"
    require(found == expected, f"latents are {found}, not {expected}")
    require(np.isfinite(latents).all(), "latents hold NaN or infinities")


@law("Check that the items enter the latent at all, and with all that they are.")
def different_items_have_different_latents(case: Case) -> None:
    """The encoder tells some items apart."""
    latents = case.instance.encode(case.items)
    require(len(np.unique(latents, axis=0)) > 1, "all items have the same latent")


@law("Make it deterministic: evaluation mode, no dropout, no random draws, no state from before.")
def encoding_twice_gives_the_same(case: Case) -> None:
    """The same batch gives the same latents, again and from another instance."""
    first = case.instance.encode(case.items)
    _require_same(case, first, case.instance.encode(case.items), "encoding again")
    _require_same(case, first, case.make().encode(case.items), "another instance")


@law("Compute each latent from its own item alone: mask padding, and normalise by no batch.")
def latents_do_not_depend_on_the_batch(case: Case) -> None:
    """An item has the same latent in any order, alone, in parts, and among other items."""
    encoder, items = case.instance, case.items
    count = len(items)
    together = encoder.encode(items)
    order = np.random.default_rng(5).permutation(count)
    turned = np.empty_like(together)
    turned[order] = encoder.encode(rows_of(items, order.tolist()))
    _require_same(case, together, turned, "another order")
    alone = np.concatenate([encoder.encode(rows_of(items, [row])) for row in range(count)])
    _require_same(case, together, alone, "one item at a time")
    half = count // 2
    parts = [encoder.encode(rows_of(items, rows)) for rows in (range(half), range(half, count))]
    _require_same(case, together, np.concatenate(parts), "two parts")
    longest = int(np.argmax([_size(item) for item in items]))
    for row in range(min(count, 3)):
        among = encoder.encode(rows_of(items, [row, *[longest] * 3]))
        _require_same(case, together[[row]], among[:1], "among others")


@law("Copy before you change: the batch belongs to the caller.")
def encoding_leaves_the_items_alone(case: Case) -> None:
    """The items of a batch are the same after encoding."""
    items = case.items
    before = [value_key(item) for item in items]
    case.instance.encode(items)
    require(before == [value_key(item) for item in items], "encoding changed the batch")


@law("Return np.zeros((0, dim), np.float32) for it.")
def an_empty_batch_gives_no_latents(case: Case) -> None:
    """A batch of no items gives float32 [0, dim]."""
    latents = case.instance.encode(rows_of(case.items, []))
    found = f"{latents.dtype} {list(latents.shape)}"
    require(found == f"float32 [0, {case.instance.dim}]", f"no items give {found}")


@law("Yield the latents of every batch of the stream, in the order of the batches.")
def a_stream_gives_what_batches_give(case: Case) -> None:
    """encode_stream gives the latents of each batch as encode does, and nothing for no batch."""
    encoder, items = case.instance, case.items
    cuts = [0, 1, max(2, len(items) // 2), len(items)]
    rows = [range(start, stop) for start, stop in itertools.pairwise(cuts) if stop > start]
    streamed = list(encoder.encode_stream(rows_of(items, part) for part in rows))
    require(len(streamed) == len(rows), f"{len(rows)} batches gave {len(streamed)} of latents")
    for part, latents in zip(rows, streamed, strict=True):
        _require_same(case, encoder.encode(rows_of(items, part)), latents, "a stream")
    require(not list(encoder.encode_stream(iter(()))), "no batches gave latents")


@law("Take a bounded number of batches before giving the latents of the first.")
def a_stream_takes_few_batches_ahead(case: Case) -> None:
    """A stream is not read to its end before the first latents come."""
    taken, items = 0, case.items

    def batches() -> Iterator[Batch]:
        nonlocal taken
        for taken in range(1, _AHEAD + 1):
            one = rows_of(items, [taken % len(items)])
            # Equal texts may be put together without end: what is held of them does not grow.
            yield one if isinstance(one, np.ndarray) else [f"{one[0]} {taken}"]

    stream = iter(case.instance.encode_stream(batches()))
    next(stream)
    seen = taken
    if (close := getattr(stream, "close", None)) is not None:
        close()
    require(seen < _AHEAD, f"it took all {seen} batches before it gave the latents of the first")


@law("Check the batch first, and raise mezzanine_core.errors.DataError that says what it is.")
def other_items_are_refused(case: Case) -> None:
    """Items of a kind that the encoder does not accept raise a typed error."""
    others = [kind for kind in ITEM_KINDS if kind not in case.instance.accepts]
    if not others:
        raise NotApplicableError("it accepts every kind of item")
    for kind in others:
        try:
            case.instance.encode(batch_of(kind, 2))
        except MezzError:
            continue
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise BrokenLawError(f"items of kind {kind} raise {what}, no MezzError") from error
        raise BrokenLawError(f"items of kind {kind} are encoded, though it does not accept them")


@law("Do not mark a setting UNFINGERPRINTED that changes latents beyond the tolerance.")
def settings_without_fingerprint_change_no_latent(case: Case) -> None:
    """Settings marked UNFINGERPRINTED leave every latent as it is."""
    changed = case.varied.unfingerprinted
    if not changed:
        raise NotApplicableError("every setting is fingerprinted")
    base = case.instance.encode(case.items)
    for name, config in changed.items():
        latents = instance_of(case, config, name).encode(case.items)
        _require_same(case, base, latents, f"another {name}")


@law("Let to() move the encoder and return it; the device is no part of what it is.")
def moving_to_a_device_changes_nothing(case: Case) -> None:
    """to("cpu") returns the encoder, with the fingerprint and the latents that it had."""
    encoder = case.make()
    before, latents = encoder.fingerprint(), encoder.encode(case.items)
    require(encoder.to("cpu") is encoder, "to() does not return the encoder itself")
    require(encoder.fingerprint() == before, "the fingerprint changes with the device")
    _require_same(case, latents, encoder.encode(case.items), "moving to the CPU")


@law("Seed what is random by the settings, and iterate over nothing that has no order.")
def latents_are_the_same_in_another_process(case: Case) -> None:
    """Another process gives the same latents."""
    here = case.instance.encode(case.items)
    _require_same(case, here, case.elsewhere["latents"], "another process")


@law("Return plain values: text, numbers, lists and dictionaries with text as keys.")
def its_report_is_plain_json(case: Case) -> None:
    """report() gives JSON values."""
    case.instance.encode(case.items)
    try:
        plain_json(dict(case.instance.report()))
    except (TypeError, ValueError) as error:
        raise BrokenLawError(f"report() gives no JSON values: {error}") from error


def _require_same(case: Case, expected: Latents, found: Any, what: str) -> None:
    require(
        np.shape(found) == expected.shape,
        f"{what} gives latents of shape {np.shape(found)}, not {expected.shape}",
    )
    if not expected.size:
        return
    # Numbers that are not finite are the matter of another law.
    one, other = (np.nan_to_num(latents.astype(np.float64)) for latents in (expected, found))
    gap: npt.NDArray[np.float64] = np.abs(one - other).max(axis=1)
    scale = float(np.abs(one).max()) or 1.0
    row = int(gap.argmax())
    require(
        gap[row] <= case.subject.tolerance * scale,
        f"{what} changes the latent of item {row} by {gap[row] / scale:.2g} of the largest value; "
        f"the tolerance is {case.subject.tolerance:g}",
    )


def _size(item: Any) -> int:
    return int(np.size(item)) if isinstance(item, np.ndarray) else len(item)


LAWS: tuple[Law, ...] = (
    it_says_what_it_accepts,
    latents_are_finite_float32_of_the_stated_length,
    different_items_have_different_latents,
    encoding_twice_gives_the_same,
    latents_do_not_depend_on_the_batch,
    encoding_leaves_the_items_alone,
    an_empty_batch_gives_no_latents,
    a_stream_gives_what_batches_give,
    a_stream_takes_few_batches_ahead,
    other_items_are_refused,
    settings_without_fingerprint_change_no_latent,
    moving_to_a_device_changes_nothing,
    latents_are_the_same_in_another_process,
    its_report_is_plain_json,
    *fingerprints.LAWS,
)
