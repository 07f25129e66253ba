"""Bring a batch's files to the bucket of another region, where that region's warehouse loads them.

COPY from Parquet needs bucket and warehouse in one region. S3 copies by itself, so no row passes
through the worker. The manifest is written last: once it is there, everything is, and nothing is
copied again.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tidemark.core.storage.batches import StagedFile
from tidemark.core.storage.manifests import manifest
from tidemark.hooks.storage.staging_bucket import StagingBucket

_AT_ONCE = 8


def bring(
    files: Sequence[StagedFile], manifest_key: str, source: StagingBucket, home: StagingBucket
) -> None:
    """Copy files to `home` under their own keys, compare checksums, and write the manifest there.

    Safe to repeat, and to do twice at once. Raises what `StagingBucket.copy_from` raises.
    """
    if home.exists(manifest_key):
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for copied in [
            pool.submit(home.copy_from, source.name, file.key, file.bytes, file.sha256)
            for file in files
        ]:
            copied.result()
    home.put_new(manifest_key, json.dumps(manifest(files, home.name), indent=2).encode())
