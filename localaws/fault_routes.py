"""The faults of a service over HTTP, below `/_localaws/faults`.

POST   {"service": "s3", "fault": "slow_down", "operation": "PutObject", "times": 2}
       201 and the fault with its id, or 400 and what is known instead
GET    every fault with its counts, and the kinds that are known; `/{id}`: one of them
DELETE all faults, those of one service (`?service=s3`), or one (`/{id}`)
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from localaws.faults import FaultList, UnknownFault

PATH = "/_localaws/faults"


def serve(app: web.Application, *lists: FaultList) -> None:
    """Add the routes below `PATH`; at the application's end all faults let go what they hold."""
    by_service = {faults.service: faults for faults in lists}

    def chosen(service: str) -> FaultList:
        if service not in by_service:
            raise UnknownFault(f"no service {service!r} here, but: {', '.join(by_service)}")
        return by_service[service]

    async def add(request: web.Request) -> web.Response:
        try:
            what = json.loads(await request.read())
            faults = chosen(what.pop("service", ""))
            made = faults.add(what.pop("fault", ""), **what)
        except (ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(_one(made.id), status=201)

    async def show(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "faults": [entry for faults in lists for entry in faults.listed()],
                "known": {service: faults.known() for service, faults in by_service.items()},
            }
        )

    async def show_one(request: web.Request) -> web.Response:
        found = _one(request.match_info["id"])
        return _missing(request) if found is None else web.json_response(found)

    async def clear(request: web.Request) -> web.Response:
        try:
            cleared = [chosen(request.query["service"])] if "service" in request.query else lists
        except UnknownFault as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"removed": sum(faults.clear() for faults in cleared)})

    async def remove(request: web.Request) -> web.Response:
        found = _one(request.match_info["id"])
        if found is None:
            return _missing(request)
        by_service[found["service"]].remove(found["id"])
        return web.json_response(found)

    async def let_go(_: web.Application) -> None:
        for faults in lists:
            faults.clear()

    def _one(fault_id: str) -> dict[str, Any] | None:
        every = (entry for faults in lists for entry in faults.listed())
        return next((entry for entry in every if entry["id"] == fault_id), None)

    def _missing(request: web.Request) -> web.Response:
        return web.json_response({"error": f"no fault {request.match_info['id']}"}, status=404)

    app.router.add_post(PATH, add)
    app.router.add_get(PATH, show)
    app.router.add_get(PATH + "/{id}", show_one)
    app.router.add_delete(PATH, clear)
    app.router.add_delete(PATH + "/{id}", remove)
    app.on_shutdown.append(let_go)
