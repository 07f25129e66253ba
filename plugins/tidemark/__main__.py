"""`python -m tidemark`: what `tidemark.cli` describes."""

import os
import sys

# What Airflow and its providers tell of each call to AWS and each file would hide what a command
# answers. Airflow reads this when it is imported; a level that is set already stays.
_QUIET = "airflow.providers.amazon=WARNING airflow.serialization=WARNING py.warnings=ERROR"

if __name__ == "__main__":  # workers of the receiver import this too
    os.environ.setdefault("AIRFLOW__LOGGING__NAMESPACE_LEVELS", _QUIET)

    from tidemark.cli import main

    sys.exit(main())
