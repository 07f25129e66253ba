"""A setting that is silently ignored copies the wrong rows to the wrong place."""

import re
from pathlib import Path

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.drain_settings import event_table
from tidemark.core.settings.queues import Receiver, parse_queues, parse_receiver
from tidemark.core.settings.tables import Table, parse_tables, refuse_shared_targets
from tidemark.core.settings.target_list import parse_targets
from tidemark.core.settings.targets import RedshiftTarget

INCLUDE = Path(__file__).parents[2] / "include"
PRIMARY = {
    "STAGING_BUCKET": "stage",
    "REDSHIFT_CLUSTER_IDENTIFIER": "c1",
    "REDSHIFT_DATABASE": "dw",
    "REDSHIFT_DB_USER": "loader",
    "REDSHIFT_IAM_ROLE": "arn:aws:iam::000000000000:role/copy",
}
SECONDARY = {
    "SECONDARY_REDSHIFT_ENABLED": "true",
    "SECONDARY_REDSHIFT_ENDPOINT": "https://vpce-1.redshift-data.us-east-1.vpce.amazonaws.com",
    "SECONDARY_AWS_REGION": "us-east-1",
    "SECONDARY_REDSHIFT_CLUSTER_IDENTIFIER": "c2",
    "SECONDARY_REDSHIFT_DATABASE": "dw2",
    "SECONDARY_REDSHIFT_DB_USER": "loader2",
    "SECONDARY_REDSHIFT_TABLE_NAME": "events2",
    "SECONDARY_REDSHIFT_STATEMENT_TIMEOUT": "60000",
    "SECONDARY_REDSHIFT_MAX_RETRIES": "30",
    "SECONDARY_REDSHIFT_IAM_ROLE": "arn:aws:iam::000000000000:role/copy2",
}


def shipped_targets(**environ):
    return parse_targets((INCLUDE / "targets.yaml").read_text(), environ)


def test_every_setting_stands_in_the_file_that_it_belongs_to() -> None:
    by_its_place = {"db_schema", "table", "name"}
    for file, kind in (("tables.yaml", Table), ("targets.yaml", RedshiftTarget)):
        words = set(re.findall(r"\w+", (INCLUDE / file).read_text()))
        assert set(kind.model_fields) <= words | by_its_place


def test_a38_the_shipped_file_has_one_target_until_the_second_is_switched_on():
    targets = shipped_targets(**PRIMARY)
    assert [t.name for t in targets.required] == ["primary"]
    assert not targets.by_name["secondary"].enabled


def test_a8_to_a16_the_environment_names_work_as_they_are():
    target = shipped_targets(**PRIMARY, **SECONDARY).by_name["secondary"]
    assert target.enabled
    assert target.role == "best_effort"
    assert target.endpoint_url == SECONDARY["SECONDARY_REDSHIFT_ENDPOINT"]
    assert (target.cluster_identifier, target.database, target.db_user) == ("c2", "dw2", "loader2")
    assert target.events_table == "events2"
    assert target.statement_timeout_ms == 60_000
    assert target.submit_retries == 30


@pytest.mark.parametrize(
    "host",
    [
        "vpce-0a1b-c2d3.redshift-data.ap-south-1.vpce.amazonaws.com",
        "vpce-0a1b-c2d3-ap-south-1a.redshift-data.ap-south-1.vpce.amazonaws.com",
        "redshift-data.ap-south-1.amazonaws.com",
        "redshift-data.data.example.com",
    ],
)
def test_x1_every_shape_of_a_data_api_endpoint_is_taken(host):
    target = mumbai(SECONDARY_REDSHIFT_ENDPOINT=f"https://{host}")
    assert target.endpoint_url == f"https://{host}"


def test_x2_a_target_in_another_region_has_a_bucket_of_its_own():
    target = mumbai(SECONDARY_REDSHIFT_ENDPOINT="")
    assert target.own_staging
    assert (target.own_staging.bucket, target.own_staging.region) == ("near", "ap-south-1")


def mumbai(**environ):
    there = {"SECONDARY_AWS_REGION": "ap-south-1", "SECONDARY_STAGING_BUCKET": "near"}
    return shipped_targets(**{**PRIMARY, **SECONDARY, **there, **environ}).by_name["secondary"]


def test_b24_b25_the_primary_reads_the_same_names_without_prefix():
    more = {"REDSHIFT_TABLE_NAME": "events", "REDSHIFT_STATEMENT_TIMEOUT": "45000"}
    target = shipped_targets(**PRIMARY, **more).by_name["primary"]
    assert (target.events_table, target.statement_timeout_ms) == ("events", 45_000)
    assert target.region == "us-east-1"


def test_the_shipped_tables_are_read():
    tables = parse_tables((INCLUDE / "tables.yaml").read_text(), {})
    assert tables["demo.flights"].dag_id == "sync__demo__flights"
    assert tables["demo.flights"].schedule == "*/5 * * * *"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"STAGING_BUCKET": ""}, r"staging.bucket: environment variable STAGING_BUCKET"),
        ({"REDSHIFT_CLUSTER_IDENTIFIER": ""}, "targets.primary.*cluster_identifier or workgroup"),
        ({"SECONDARY_REDSHIFT_ENABLED": "perhaps"}, "targets.secondary.enabled"),
        (
            {"SECONDARY_REDSHIFT_ENDPOINT": "https://c2.abc.us-east-1.redshift.amazonaws.com"},
            "targets.secondary.endpoint_url: .*no Data API endpoint",
        ),
        (
            {"SECONDARY_REDSHIFT_ENDPOINT": "vpce-1.redshift-data.us-east-1.vpce.amazonaws.com"},
            "targets.secondary.endpoint_url: .*no Data API endpoint",
        ),
        (
            {
                "SECONDARY_REDSHIFT_ENDPOINT": "https://redshift-data.ap-south-1.amazonaws.com",
                "SECONDARY_AWS_REGION": "us-east-1",
            },
            "targets.secondary: endpoint_url is of ap-south-1, and region says us-east-1",
        ),
        (
            {"SECONDARY_AWS_REGION": "ap-south-1", "SECONDARY_REDSHIFT_ENDPOINT": ""},
            "targets.secondary.region: ap-south-1.*staging_bucket",
        ),
        (
            {"SECONDARY_STAGING_BUCKET": "stage"},
            "targets.secondary.staging_bucket: stage is the staging bucket itself",
        ),
        ({"SECONDARY_REDSHIFT_DATABASE": ""}, "targets.secondary.*database is missing"),
    ],
    ids=[
        "unset",
        "no cluster",
        "no boolean",
        "X1 database host",
        "X1 no scheme",
        "X1 another region's",
        "X2 other region",
        "X2 not its own",
        "incomplete",
    ],
)
def test_a_wrong_target_is_named_with_file_and_key(change, message):
    with pytest.raises(FixConfiguration, match=f"(?s)targets.yaml: {message}"):
        shipped_targets(**{**PRIMARY, **SECONDARY, **change})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\ntables: {a.b: {cursr: x}}", r"tables.a.b.cursr: there is no such setting"),
        ("version: 1\ntables: {a: {}}", r"tables.a: a table is named <schema>.<table>"),
        ("version: 1\ntables: {a.b: {schedule: hourly}}", r"tables.a.b.schedule: not a cron"),
        ("version: 1\ntables: {a.b: {strategy: magic}}", r"tables.a.b.strategy"),
        ("version: 1\ntables: {a.b: {chunk_rows: 0}}", r"tables.a.b.chunk_rows"),
        ("version: 1\ntables: {a.b: 7}", r"tables.a.b: expected a mapping"),
        ("version: 1\ntables: {}", r"tables: at least one is needed"),
        ("version: 2\ntables: {a.b: {}}", r"version: this release reads version 1"),
        ("version: 1\ntabels: {}", r"tabels: there is no such setting"),
        ("version: [", r"is not YAML"),
        ("- a", r"holds no mapping"),
        ("version: 1\ntables: {a.b: {cursor: 'x; --'}}", r"tables.a.b.cursor: a name may hold"),
    ],
)
def test_a_wrong_table_is_named_with_file_table_and_key(text, message):
    with pytest.raises(FixConfiguration, match=f"tables.yaml.*{message}"):
        parse_tables(text, {})


def test_defaults_are_laid_under_each_table_and_null_means_only_when_triggered():
    text = """
    version: 1
    defaults: {cursor: changed_at, schedule: "0 * * * *", key: [a, b]}
    tables: {s.one: {}, s.two: {cursor: moved_at, schedule: null, key: [c]}}
    """
    tables = parse_tables(text, {})
    one, two = tables["s.one"], tables["s.two"]
    assert (one.cursor, one.schedule, one.key) == ("changed_at", "0 * * * *", ("a", "b"))
    assert (two.cursor, two.schedule, two.key) == ("moved_at", None, ("c",))


def test_there_is_always_a_required_target_and_it_cannot_be_disabled():
    text = (INCLUDE / "targets.yaml").read_text()
    with pytest.raises(FixConfiguration, match="none has role: required"):
        parse_targets(text.replace("role: required", "role: best_effort"), PRIMARY)
    with pytest.raises(FixConfiguration, match="required target cannot be disabled"):
        parse_targets(text.replace("role: required", "role: required\n    enabled: no"), PRIMARY)


def test_b23_the_queue_is_named_by_its_environment_variable():
    text = (INCLUDE / "queues.yaml").read_text()
    url = "https://sqs.us-east-1.amazonaws.com/000000000000/events"
    assert parse_queues(text, {"SQS_QUEUE_URL": url})["appsflyer"].queue_url == url
    assert parse_queues(text, {})["appsflyer"].queue_url is None
    with pytest.raises(
        FixConfiguration, match=r"queues.yaml: queues.appsflyer.queue_url: .* no queue"
    ):
        parse_queues(text, {"SQS_QUEUE_URL": "events"})


def test_a_kind_takes_its_own_settings_and_what_only_others_know_is_passed_over():
    text = (INCLUDE / "targets.yaml").read_text()
    unknown = text.replace("kind: redshift", "kind: oracle")
    with pytest.raises(FixConfiguration, match=r"targets.primary.kind: oracle is none"):
        parse_targets(unknown, PRIMARY)
    wrong = text.replace("slices: 16", "slizes: 16")
    with pytest.raises(FixConfiguration, match=r"targets.primary.slizes: there is no such setting"):
        parse_targets(wrong, PRIMARY)


QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/000000000000/events"


def webhook_of(settings: str, url: str = QUEUE_URL):
    text = f"version: 1\nqueues: {{events: {{queue_url: '{url}', webhook: {{{settings}}}}}}}"
    return parse_queues(text, {})["events"].webhook


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("auth: token", "auth: token needs secret_conn_id"),
        ("auth: none, secret_conn_id: hook", "choose one"),
        ("secret_conn_id: hook, header: 'X Y'", "webhook.header: expected the name"),
        ("secret_conn_id: hook, allow: [10.0.0.1/8]", "webhook.allow.0: .* host bits"),
        ("secret_conn_id: hook, max_body_bytes: 1048576", "webhook.max_body_bytes: .* less"),
        ("secret_conn_id: hook, rate: 0", "webhook.rate: .* greater"),
    ],
)
def test_a_webhook_that_would_let_in_what_nobody_meant_is_refused(settings, message):
    with pytest.raises(FixConfiguration, match=f"queues.yaml: queues.events.*{message}"):
        webhook_of(settings)


def test_a_webhook_into_a_fifo_queue_is_refused():
    with pytest.raises(FixConfiguration, match=r"use a standard queue"):
        webhook_of("auth: none", QUEUE_URL + ".fifo")


def test_the_receiver_has_settings_of_its_own():
    queues = "queues: {events: {}}\n"
    assert parse_receiver("version: 1\n" + queues, {}) == Receiver()
    given = parse_receiver("version: 1\nreceiver: {linger_ms: 1}\n" + queues, {})
    assert given.linger_ms == 1
    with pytest.raises(FixConfiguration, match=r"receiver\.linger: there is no such setting"):
        parse_receiver("version: 1\nreceiver: {linger: 1}\n" + queues, {})


def test_c1_a_postgres_target_needs_a_connection_and_no_region():
    text = (INCLUDE / "targets.yaml").read_text()
    more = "\n  archive: {kind: postgres, role: best_effort, conn_id: archive_db}\n"
    archive = parse_targets(text + more, PRIMARY).by_name["archive"]
    assert (archive.conn_id, archive.dialect, archive.copies_within) == (
        "archive_db",
        "postgres",
        None,
    )
    assert (archive.retry_attempts, archive.retry_delay_ms, archive.slices) == (3, 1_000, 16)
    with pytest.raises(FixConfiguration, match=r"targets.archive: conn_id is missing"):
        parse_targets(text + more.replace(", conn_id: archive_db", ""), PRIMARY)
    with pytest.raises(FixConfiguration, match=r"targets.archive.iam_role: there is no such"):
        parse_targets(text + more.replace("conn_id:", "iam_role: x, conn_id:"), PRIMARY)


def test_a_table_may_go_to_some_targets_only_one_of_them_required():
    targets = shipped_targets(**PRIMARY, **SECONDARY)

    def of(chosen):
        text = f"version: 1\ntables: {{shop.orders: {{targets: {chosen}}}, shop.lines: }}"
        tables = parse_tables(text, {})
        for name, table in tables.items():
            targets.check_choice(table.targets, f"{name}.targets")
        return [list(targets.of(table).by_name) for table in tables.values()]

    both = ["primary", "secondary"]
    assert of("[primary]") == [["primary"], both]
    assert of("[]") == [both, both]
    with pytest.raises(FixConfiguration, match=r"shop\.orders\.targets: archive is not in targets"):
        of("[primary, archive]")
    with pytest.raises(FixConfiguration, match=r"none of secondary has role: required"):
        of("[secondary]")


def test_a_queue_may_go_to_some_targets_only():
    settings = f"queue_url: {QUEUE_URL}, drain: {{targets: [primary], events: {{}}}}"
    queue = parse_queues(f"version: 1\nqueues: {{events: {{{settings}}}}}", {})
    drain = queue["events"].drain
    table = event_table("events", drain, {"primary": "one", "secondary": "two"})
    assert list(shipped_targets(**PRIMARY, **SECONDARY).of(table).by_name) == ["primary"]


def test_tables_of_one_name_may_go_to_targets_apart():
    text = "version: 1\ntables: {de.orders: {targets: [one]}, fr.orders: {targets: [%s]}}"
    refuse_shared_targets(parse_tables(text % "two", {}), ["one", "two"])
    with pytest.raises(FixConfiguration, match="would share on one the table orders"):
        refuse_shared_targets(parse_tables(text % "two, one", {}), ["one", "two"])
