from importlib.metadata import version

import pytest

from mezzanine_core.errors import MissingDependencyError
from mezzanine_worlds_iphyre.versions import simulator_versions


def _install(folder, name: str, number: str, *requires: str) -> None:
    """Put the metadata of a distribution into a folder, as pip would."""
    info = folder / f"{name}-{number}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {number}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def test_the_versions_are_the_installed_ones() -> None:
    names = ("iphyre", "pygame", "pymunk")
    assert simulator_versions() == {name: version(name) for name in names}


@pytest.mark.parametrize(("name", "number"), [("pymunk", "7.1.0"), ("iphyre", "0.3.0")])
def test_a_version_that_does_not_work_is_named(monkeypatch, tmp_path, name, number) -> None:
    _install(tmp_path, name, number)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match=f"{name}.*but {number} is installed") as error:
        simulator_versions()
    assert f'pip install "{name}' in str(error.value)
    assert error.value.exit_code == 3


def test_a_missing_library_is_named(monkeypatch, tmp_path) -> None:
    _install(tmp_path, "mezzanine_worlds_iphyre", "0.1.0", "no-such-simulator>=2")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match="no-such-simulator>=2, but it is not"):
        simulator_versions()
