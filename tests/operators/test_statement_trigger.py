"""If these fail, a triggerer asks the wrong service, or a secret lies in Airflow's database."""

import json

from tidemark.core.settings.targets import RedshiftTarget
from tidemark.operators.loading.statement_trigger import StatementTrigger

TARGET = RedshiftTarget(
    name="secondary",
    role="best_effort",
    aws_conn_id="aws_secondary",
    region="ap-south-1",
    endpoint_url="https://vpce-1.redshift-data.ap-south-1.vpce.amazonaws.com",
    verify="/etc/ssl/private-link.pem",
    workgroup_name="w",
    database="dw",
    secret_arn="arn:aws:secretsmanager:ap-south-1:000000000000:secret:dw",
    iam_role="arn:aws:iam::000000000000:role/copy",
)


def test_it_carries_its_target_and_needs_no_file():
    trigger = StatementTrigger.on(TARGET, "statement", 60)
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    assert path.endswith(".StatementTrigger")
    again = StatementTrigger(**arguments)
    assert RedshiftTarget.model_validate(again.target) == TARGET
    assert (again.statement_id, again.deadline) == ("statement", trigger.deadline)


def test_credentials_are_named_and_not_carried():
    said = json.dumps(StatementTrigger.on(TARGET, "statement", 60).serialize())
    assert "aws_secondary" in said
    assert not {"password", "aws_secret_access_key", "token"} & set(TARGET.model_dump())
