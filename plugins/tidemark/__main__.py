"""`python -m tidemark`: the same as `python -m tidemark.cli`."""

import sys

from tidemark.cli import main

sys.exit(main())
