"""The door of S3 and SQS: a proxy before the emulator that makes it answer as AWS does.

    client ── server.py ── s3.py ──┬── upstream.py ── the emulator
                      └─── sqs.py ─┘

What the emulator lets through and AWS does not is refused here (`s3_rules.py`, `sqs_rules.py`),
what it lacks is done here (`sqs_handles.py`, `sqs_moves.py`), and faults strike here
(`s3_faults.py`, `sqs_faults.py`). All else passes unchanged, as a stream.
"""
