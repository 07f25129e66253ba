"""Create the staging bucket in the stand-in's S3, which starts empty. Changes nothing if it exists.

On AWS nobody runs this: there the bucket belongs to whoever pays for it.
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
    """Create the bucket named by STAGING_BUCKET at AWS_ENDPOINT_URL_S3."""
    if not os.environ.get("AWS_ENDPOINT_URL_S3"):
        sys.exit("AWS_ENDPOINT_URL_S3 is not set: this creates buckets in the stand-in only")
    s3 = boto3.client("s3", region_name="us-east-1", config=_CONFIG)
    try:
        s3.create_bucket(Bucket=os.environ["STAGING_BUCKET"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


if __name__ == "__main__":
    main()
