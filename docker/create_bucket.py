"""Create the staging bucket and the event queue in the stand-in, which starts empty.

Changes nothing if they exist. On AWS nobody runs this: there they belong to whoever pays for them.
"""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_CONFIG = Config(
    connect_timeout=5, read_timeout=20, retries={"max_attempts": 5, "mode": "standard"}
)


def main() -> None:
    """Create the bucket of STAGING_BUCKET and the queue of SQS_QUEUE_URL at AWS_ENDPOINT_URL_S3."""
    if not os.environ.get("AWS_ENDPOINT_URL_S3"):
        sys.exit("AWS_ENDPOINT_URL_S3 is not set: this creates buckets in the stand-in only")
    s3 = boto3.client("s3", region_name="us-east-1", config=_CONFIG)
    try:
        s3.create_bucket(Bucket=os.environ["STAGING_BUCKET"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    if url := os.environ.get("SQS_QUEUE_URL"):
        sqs = boto3.client(
            "sqs",
            region_name="us-east-1",
            config=_CONFIG,
            endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"],  # the same server
        )
        sqs.create_queue(QueueName=url.rpartition("/")[2])


if __name__ == "__main__":
    main()
