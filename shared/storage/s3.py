"""Objects in an S3 bucket: one client for the life of the process (OPS-5)."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import ObjectNotFoundError, SourceTooLargeError, StorageError
from shared.settings import SharedSettings
from shared.storage.check import check_by_work
from shared.storage.port import CHUNK, ObjectRef, ObjectStat, checked_key
from shared.storage.to_its_end import to_its_end

# S3 refuses parts below 5 MiB (but for the last) and more than 10,000 of them: 16 MiB parts reach 156 GiB.
PART = 16 << 20
# A server that has the whole of a request carries it out whoever hung up: a cancelled caller waits for the answer.
_LAST_ANSWER_S = 3.0


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code in ("NoSuchKey", "404"):
            raise ObjectNotFoundError(f"no object {key}") from error
        raise StorageError(f"{key}: {code}") from error
    except (BotoCoreError, OSError) as error:
        raise StorageError(f"{key}: {error}") from error


class S3ObjectStore:
    """An ObjectStore in `bucket`, through an open aioboto3 client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": checked_key(key)}

    async def put_bytes(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        """Store `data` under `key`."""
        with _translated(key):
            await self._answered(self._client.put_object(**self._at(key), Body=data, ContentType=media_type))
        return ObjectRef(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)

    async def put_file(self, key: str, path: Path, media_type: str) -> ObjectRef:
        """Store the file at `path` under `key`."""

        async def chunks() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    yield chunk

        size = (await asyncio.to_thread(path.stat)).st_size
        return await self.put_stream(key, chunks(), media_type, max_size=size)

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], media_type: str, *, max_size: int) -> ObjectRef:
        """Store what `chunks` yields, in parts once it is larger than one; an upload that fails is aborted."""
        digest, size, buffer = hashlib.sha256(), 0, bytearray()
        parts: list[dict[str, Any]] = []
        upload: str | None = None
        with _translated(key):
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > max_size:
                        raise SourceTooLargeError(f"This file is larger than the limit of {max_size} bytes.")
                    digest.update(chunk)
                    buffer += chunk
                    while len(buffer) > PART:
                        upload = upload or await self._begin(key, media_type)
                        parts.append(await self._part(key, upload, len(parts) + 1, bytes(buffer[:PART])))
                        del buffer[:PART]
                if upload is None:
                    return await self.put_bytes(key, bytes(buffer), media_type)
                parts.append(await self._part(key, upload, len(parts) + 1, bytes(buffer)))
                whole = {**self._at(key), "UploadId": upload, "MultipartUpload": {"Parts": parts}}
                await self._answered(self._client.complete_multipart_upload(**whole))
                upload = None
            finally:
                if upload is not None:
                    await self._abort(key, upload)
        return ObjectRef(key=key, sha256=digest.hexdigest(), size=size, media_type=media_type)

    async def _begin(self, key: str, media_type: str) -> str:
        answer = await self._client.create_multipart_upload(**self._at(key), ContentType=media_type)
        return str(answer["UploadId"])

    async def _part(self, key: str, upload: str, number: int, data: bytes) -> dict[str, Any]:
        part = {**self._at(key), "UploadId": upload, "PartNumber": number, "Body": data}
        answer = await self._answered(self._client.upload_part(**part))
        return {"ETag": answer["ETag"], "PartNumber": number}

    async def _abort(self, key: str, upload: str) -> None:
        """Abort `upload`. What cannot be aborted now (or was completed after all) is left to `abandon`."""
        with suppress(BotoCoreError, ClientError, OSError):
            await self._answered(self._client.abort_multipart_upload(**self._at(key), UploadId=upload))

    @staticmethod
    async def _answered(request: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        return await to_its_end(request, at_most_s=_LAST_ANSWER_S)

    async def read(self, key: str) -> bytes:
        """Whole bytes of an object."""
        return b"".join([chunk async for chunk in self.stream(key)])

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` of an object in chunks."""
        if end is not None and end <= start:
            return
        span = {} if start == 0 and end is None else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with _translated(key):
            answer = await self._client.get_object(**self._at(key), **span)
            async with answer["Body"] as body:
                async for chunk in body.content.iter_chunked(CHUNK):
                    yield chunk

    async def stat(self, key: str) -> ObjectStat:
        """Size and time of an object."""
        with _translated(key):
            answer = await self._client.head_object(**self._at(key))
        return ObjectStat(key, int(answer["ContentLength"]), answer["LastModified"].timestamp())

    @asynccontextmanager
    async def as_file(self, key: str, folder: Path) -> AsyncIterator[Path]:
        """A copy in `folder` that is removed at the end of the context."""
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            path = Path(scratch) / "object"
            with path.open("wb") as file:
                async for chunk in self.stream(key):
                    await asyncio.to_thread(file.write, chunk)
            yield path

    async def walk(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object under `prefix`."""
        with _translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            async for page in pages:
                for item in page.get("Contents", []):
                    yield ObjectStat(item["Key"], int(item["Size"]), item["LastModified"].timestamp())

    async def delete(self, key: str) -> None:
        """Delete an object if it is there."""
        with _translated(key):
            await self._client.delete_object(**self._at(key))

    async def delete_all(self, prefix: str) -> int:
        """Delete every object under `prefix`, a thousand at a time."""
        keys = [item.key async for item in self.walk(prefix)]
        for start in range(0, len(keys), 1000):
            batch = [{"Key": key} for key in keys[start : start + 1000]]
            with _translated(prefix):
                await self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
        return len(keys)

    async def abandon(self, prefix: str, before_s: float) -> None:
        """Abort unfinished multipart uploads, whose parts would be kept and paid for without being seen."""
        with _translated(prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
            async for page in pages:
                for upload in page.get("Uploads", []):
                    if upload["Initiated"].timestamp() < before_s:
                        at = {"Bucket": self._bucket, "Key": upload["Key"]}
                        await self._client.abort_multipart_upload(**at, UploadId=upload["UploadId"])

    async def check(self) -> None:
        """Raise StorageError unless an object can be put, fetched and deleted."""
        await check_by_work(self)


@asynccontextmanager
async def open_s3(settings: SharedSettings) -> AsyncIterator[S3ObjectStore]:
    """An S3 store with its one client, closed at the end of the context."""
    config = Config(
        signature_version="s3v4",
        max_pool_connections=50,
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path"},
        # Servers other than Amazon's refuse the newer default checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    keys = {
        "aws_access_key_id": settings.s3_access_key and settings.s3_access_key.get_secret_value(),
        "aws_secret_access_key": settings.s3_secret_key and settings.s3_secret_key.get_secret_value(),
    }
    session = aioboto3.Session(region_name=settings.s3_region, **keys)
    endpoint = str(settings.s3_endpoint) if settings.s3_endpoint else None
    async with session.client("s3", endpoint_url=endpoint, config=config) as client:
        yield S3ObjectStore(client, settings.s3_bucket)
