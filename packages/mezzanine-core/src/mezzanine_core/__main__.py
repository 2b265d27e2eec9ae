"""``python -m mezzanine_core``: the command line where its script is not on the path."""

import sys

from mezzanine_core.cli import main

sys.exit(main())
