"""Hooks that return what nobody can use, and specs of what there is not."""

from collections.abc import Iterator

from mezzanine_core import Spec, hookimpl

SPEC = Spec(kind="world", name="dust", summary="Dust", config="a.b:C", factory="a.b:D")


@hookimpl  # error: [type-var] cannot be "Callable[[], str]"
def mezz_worlds() -> str:
    return "dust"


@hookimpl  # error: [type-var] cannot be "Callable[[], list[str]]"
def mezz_symmetries() -> list[str]:
    return ["dust"]


@hookimpl  # error: [type-var] cannot be "Callable[[], Spec]"
def mezz_encoders() -> Spec:
    return SPEC


@hookimpl  # error: [type-var] cannot be "Callable[[], dict[str, Spec]]"
def mezz_recipes() -> dict[str, Spec]:
    return {"dust": SPEC}


@hookimpl  # error: [type-var] cannot be "Callable[[], Iterator[type[Spec]]]"
def mezz_trackers() -> Iterator[type[Spec]]:
    yield Spec


@hookimpl(specname="mezz_executors")  # error: [type-var] cannot be "Callable[[], int]"
def executors() -> int:
    return 0


@hookimpl
def mezz_run_started(recipe: str) -> list[Spec]:
    return recipe  # error: [return-value] got "str", expected "list[Spec]"


WRONG = Spec(
    kind="wrold",  # error: [arg-type] Argument "kind" to "Spec"
    name="dust",
    summary="Dust",
    config=Spec,  # error: [arg-type] Argument "config" to "Spec"
    factory="a.b:D",
)
SHORT = Spec(kind="world", name="dust")  # error: [call-arg] Missing positional arguments
SPEC.name = "fog"  # error: [misc] Property "name" defined in "Spec" is read-only
