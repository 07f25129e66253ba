"""Health check: exit 0 if the URL given answers 200 within four seconds, else 1."""

import http
import sys
import urllib.request


def main(url: str) -> int:
    """Return the exit code."""
    try:
        with urllib.request.urlopen(url, timeout=4) as response:  # noqa: S310 - compose says which
            return int(response.status != http.HTTPStatus.OK)
    except OSError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
