"""`python -m services.gateway`."""

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from shared.http_server.connections import ConnectionLimits
from shared.http_server.server import serve
from shared.settings import load_service
from shared.telemetry import start_logging


def main() -> None:
    """Serve until told to stop."""
    shared, settings = load_service(GatewaySettings)
    start_logging("gateway", shared.log_level, shared.log_format)
    limits = ConnectionLimits(
        header_s=settings.header_timeout_s,
        idle_s=settings.idle_timeout_s,
        total=settings.max_connections,
        per_address=settings.max_connections_per_address,
    )
    serve(create_app(shared, settings), shared.host, settings.port, shared.shutdown_s, limits)


if __name__ == "__main__":
    main()
