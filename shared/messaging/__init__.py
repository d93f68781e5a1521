"""RabbitMQ: what is declared, how messages are published, retried, buried and drained."""
