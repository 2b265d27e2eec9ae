"""What holds for the tests of every distribution."""

import contextlib

with contextlib.suppress(ImportError):  # not all of them have laws to try examples of
    from hypothesis import settings

    # Machines are shared: how long an example takes says nothing of the code.
    settings.register_profile("mezzanine", deadline=None)
    settings.load_profile("mezzanine")
