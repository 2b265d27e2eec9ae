"""New plugin packages: ``mezz new`` writes one from templates that come with core.

:mod:`~mezzanine_core.scaffold.names` says what a package and its component are called,
:mod:`~mezzanine_core.scaffold.rendering` fills in the templates, and
:mod:`~mezzanine_core.scaffold.writing` puts the files on disk.
"""

from mezzanine_core.scaffold.names import Names, check_free, choose_names
from mezzanine_core.scaffold.rendering import Details, render_package
from mezzanine_core.scaffold.writing import check_folder, write_package

__all__ = [
    "Details",
    "Names",
    "check_folder",
    "check_free",
    "choose_names",
    "render_package",
    "write_package",
]
