"""If these fail, a notifier that our pages recommend does not take what they say to give it."""

import re
from pathlib import Path

import pytest
import yaml
from airflow.sdk.module_loading import import_string

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "include" / "alerts.yaml").read_text()


def recommended():
    """What the commented lines of `alerts.yaml` name."""
    lines = [line.removeprefix("# ") for line in SHIPPED.splitlines() if line.startswith("# ")]
    text = "\n".join(lines[lines.index("notify:") :])
    found = yaml.safe_load(re.sub(r"\$\{\w+\}", "arn", text))["notify"]
    return [each for severity in found.values() for each in severity]


@pytest.mark.parametrize("named", recommended(), ids=lambda named: named["notifier"])
def test_a_notifier_takes_what_the_file_gives_it_and_renders_what_is_told(named):
    notifier = import_string(named["notifier"])(**named["arguments"])
    notifier.render_template_fields({"told": "the heart has stopped"})
    said = [getattr(notifier, field) for field in notifier.template_fields]
    assert "the heart has stopped" in str(said)


def test_both_severities_have_an_example():
    assert len(recommended()) == 3
