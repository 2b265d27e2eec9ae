"""The process of the command line: its scripts, and ``python -m mezzanine_core``.

This module imports nothing of the project before it is ready for Ctrl-C.
"""

import os
import signal
import sys


def entry() -> int:
    """Run the command line as the whole of this process.

    Returns:
        The exit code; from here on Ctrl-C is ignored, since nothing is left that it could stop.
    """
    code = 130
    try:
        _open_closed_streams()
        from mezzanine_core.cli import main

        code = main()
    except KeyboardInterrupt:
        # While modules are imported, or after the command: within it, main() answers.
        sys.stderr.write("interrupted\n")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _open_closed_streams() -> None:
    """Give streams that the caller closed (``>&-``) somewhere to go.

    Otherwise the next file that is opened takes the number of the stream, and what a worker or a
    library in C prints lands in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115, PTH123 - until the end
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


if __name__ == "__main__":
    sys.exit(entry())
