"""The run's own client of its S3 server, not through the proxy."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deploy.local.objects import S3Server

BUCKET = "chaos"
TIMEOUT_S = 5


@contextmanager
def s3_client(server: S3Server) -> Iterator[Any]:
    """A client that tries nothing twice."""
    import boto3  # noqa: PLC0415 -- half a second that runs on local files do not need
    from botocore.config import Config  # noqa: PLC0415 -- as above

    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
        config=Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()


async def stores_objects(server: S3Server) -> bool:
    """Whether an object can be put and deleted."""
    return await asyncio.to_thread(_stores_objects, server)


def _stores_objects(server: S3Server) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

    key = f"chaos-check-{uuid.uuid4().hex}/x"
    try:
        with s3_client(server) as client:
            client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
            client.delete_object(Bucket=BUCKET, Key=key)
    except (BotoCoreError, ClientError):
        return False
    return True
