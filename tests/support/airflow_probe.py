"""Run in a process of its own: asks the installed Airflow whether it knows commands and options.

Reads {"commands": [[word]], "options": [AIRFLOW__SECTION__OPTION]} and writes one line of JSON.
"""

import contextlib
import io
import json
import re
import sys
from pathlib import Path

from airflow.api_fastapi import core_api
from airflow.api_fastapi.core_api.datamodels.monitor import HealthInfoResponse
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    refused = []
    for command in question["commands"]:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                get_parser().parse_args(command)
        except SystemExit:
            refused.append([" ".join(command), said.getvalue()])
    sections = conf.configuration_description
    unknown = [
        name
        for name in question["options"]
        if not _option(sections, *name.lower().removeprefix("airflow__").split("__"))
    ]
    pages = Path(core_api.__file__).parent / "openapi" / "v2-rest-api-generated.yaml"
    answer = {
        "refused_commands": refused,
        "unknown_options": unknown,
        "components": list(HealthInfoResponse.model_fields),
        "pages": re.findall(r"^  (/api/v2/\S+):$", pages.read_text(encoding="utf-8"), re.MULTILINE),
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


def _option(sections: dict, section: str, option: str) -> bool:
    return option in sections.get(section, {}).get("options", {})


if __name__ == "__main__":
    main()
