"""`python -m services.gateway`."""

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from shared.service import serve
from shared.settings import load_service
from shared.telemetry import start_logging


def main() -> None:
    """Serve until told to stop."""
    shared, settings = load_service(GatewaySettings)
    start_logging("gateway", shared.log_level, shared.log_format)
    serve(create_app(shared, settings), shared.host, settings.port, shared.shutdown_s)


if __name__ == "__main__":
    main()
