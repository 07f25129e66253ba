"""`python -m localaws.gateway`: serve S3 and SQS before the emulator, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from aiohttp import web

from localaws.gateway.server import application


def main() -> int:
    """Read the command line and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m localaws.gateway", description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--upstream",
        required=True,
        metavar="ADDRESS",
        help="where the emulator listens: unix:PATH or http://HOST:PORT",
    )
    options = parser.parse_args()
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    asyncio.run(_serve(options.bind, options.port, options.upstream))
    return 0


async def _serve(bind: str, port: int, upstream: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        await application(upstream),
        auto_decompress=False,
        access_log=None,
        shutdown_timeout=1,
        handler_cancellation=True,  # who has gone receives no messages
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, bind, port).start()
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
