"""S3: refuse what S3 refuses, let faults strike, pass the rest on."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from localaws.faults import Fault
from localaws.gateway import s3_faults
from localaws.gateway.common_faults import break_off, drain, strike_first
from localaws.gateway.s3_copies import copied_with_sum, wants_sum
from localaws.gateway.s3_requests import S3Request, s3_request
from localaws.gateway.s3_rules import corrected, refusal, refusal_of_body, refusal_of_parts
from localaws.gateway.s3_signatures import refusal_of_signature, with_signature_in_headers
from localaws.gateway.upstream import Upstream, end_to_end, pass_back

_READ_WHOLE = {"CompleteMultipartUpload", "DeleteObjects"}


class S3Gateway:
    """Answers every request to S3."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.faults = s3_faults.s3_faults()
        self._late = s3_faults.LateObjects(self.faults)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. Raises ConnectionResetError where a fault ends the connection."""
        call = s3_request(request)
        await strike_first(self.faults, lambda names: self._take(names, call), request)
        body = None
        refused = self._refused(request, call)
        if refused is None and call.operation in _READ_WHOLE:
            body = await request.read()
            refused = refusal_of_body(request, call, body)
            if refused is None and call.operation == "CompleteMultipartUpload":
                refused = await refusal_of_parts(request, call, body, self._upstream)
        if refused is not None:
            await drain(request)
            return refused
        return await self._passed_on(request, call, body)

    def _refused(self, request: web.Request, call: S3Request) -> web.Response | None:
        if (fault := self._take(s3_faults.REFUSALS, call)) is not None:
            return s3_faults.refused(request, fault)
        if (error := refusal_of_signature(request) or refusal(request, call)) is not None:
            return error
        if call.operation in s3_faults.READS and (
            self._late.hides(call.place) or self._take({"missing_object"}, call)
        ):
            return s3_faults.missing(request, call)
        return None

    async def _passed_on(
        self, request: web.Request, call: S3Request, body: bytes | None
    ) -> web.StreamResponse:
        raw_path, headers = with_signature_in_headers(*corrected(request, call))
        if call.operation in s3_faults.READS and self._take({"truncated_object"}, call):
            return await s3_faults.truncated(request, raw_path, headers, self._upstream)
        if call.operation == "CopyObject" and wants_sum(request):
            return await copied_with_sum(request, raw_path, headers, self._upstream)
        sending = self._upstream.send(request, raw_path=raw_path, headers=headers, body=body)
        async with sending as answer:
            written = answer.status < 300 and call.operation in s3_faults.WRITES
            if written and (late := self._take({"late_object"}, call)) is not None:
                self._late.hide(call.place, late)
            if self._take({"drop_reply"}, call):
                await answer.read()
                break_off(request)
            if call.operation == "GetObject" and self._take({"cut_short"}, call):
                await s3_faults.cut_short(request, answer)
            if call.operation in s3_faults.LISTS and answer.status == 200:
                listing = self._late.without(await answer.read(), call.bucket)
                told = end_to_end(answer.headers)
                told.popall("Content-Length", None)
                return web.Response(body=listing, headers=told)
            return await pass_back(request, answer)

    def _take(self, names: Collection[str], call: S3Request) -> Fault | None:
        return self.faults.take(names, operation=call.operation, texts=(call.place,))
