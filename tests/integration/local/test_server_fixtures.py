"""The shared servers answer, to synchronous and asynchronous tests alike, and refuse who should be refused."""

import aio_pika
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pymongo import AsyncMongoClient, MongoClient

from shared.messaging.connection import connect


async def test_broker_delivers(rabbitmq):
    async with await aio_pika.connect(rabbitmq.url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue("fixtures.deliver", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), queue.name)
        message = await queue.get(timeout=20)
        await message.ack()
    assert message.body == b"hello"


async def test_broker_refuses_the_well_known_login(rabbitmq):
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await connect(f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}/")


def test_broker_can_be_controlled(rabbitmq):
    assert "lectern-" in rabbitmq.control("list_users")


async def test_database_keeps(mongo_url, database_name):
    async with AsyncMongoClient(mongo_url) as client:
        await client[database_name].things.insert_one({"_id": 1, "word": "cell"})
        assert await client[database_name].things.find_one({"_id": 1}) == {"_id": 1, "word": "cell"}


def test_database_serves_synchronous_tests(mongo_url, database_name):
    with MongoClient(mongo_url) as client:
        assert client[database_name].list_collection_names() == []


def client_of(s3, secret_key):
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=secret_key,
        region_name=s3.region,
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )


def test_objects_come_back(s3):
    client = client_of(s3, s3.secret_key)
    client.put_object(Bucket=s3.bucket, Key="a/b", Body=b"content")
    assert client.get_object(Bucket=s3.bucket, Key="a/b")["Body"].read() == b"content"
    client.close()


def test_objects_refuse_a_wrong_secret(s3):
    client = client_of(s3, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.put_object(Bucket=s3.bucket, Key="a/b", Body=b"content")
    client.close()
