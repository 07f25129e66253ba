"""The list of files that Redshift's COPY is given. Pure."""

from collections.abc import Iterable

from tidemark.core.storage.batches import StagedFile


def manifest(files: Iterable[StagedFile], bucket: str) -> dict[str, list[dict[str, object]]]:
    """Return the COPY manifest of some files.

    Parquet needs ``meta.content_length``; without ``mandatory`` a missing file would be no error.
    https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    return {
        "entries": [
            {
                "url": f"s3://{bucket}/{file.key}",
                "mandatory": True,
                "meta": {"content_length": file.bytes},
            }
            for file in files
        ]
    }
