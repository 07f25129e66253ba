"""Who may send events, and how many: addresses, tokens, signatures, rates.

Pure: the secrets, the moment and what has been used up are arguments. Comparisons take as long for
a wrong secret as for a right one.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tidemark.core.webhook.refusals import Refusal

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_SIGNATURE = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")
_SECONDS = re.compile(r"\d{1,12}")
# AWS's load balancers name the client's port too, if told so:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
_WITH_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::\d+)?")


def networks(texts: Sequence[str]) -> tuple[IPNetwork, ...]:
    """Return the networks that the configuration names."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def within(address: str | None, allowed: Sequence[IPNetwork]) -> bool:
    """Whether an address belongs to one of the networks; what is no address belongs to none."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped  # a socket for both families says ::ffff:192.0.2.1
    return any(parsed in network for network in allowed)


def sender_address(
    peer: str | None, forwarded: Sequence[str], trusted: Sequence[IPNetwork]
) -> str | None:
    """Return who sent a request: the first hop, seen from here, that is no proxy of ours.

    Each proxy appends whom it heard from, so the list is read from its end, and only as far as
    every hop so far is trusted; what stands before that, anybody may have written.

    :param peer: the other end of the connection
    :param forwarded: the values of ``X-Forwarded-For``, one a header, in order
    """
    hops = [_without_port(hop.strip()) for value in forwarded for hop in value.split(",")]
    address = peer
    while hops and within(address, trusted):
        address = hops.pop()
    return address


def token_refusal(given: str | None, secrets: Sequence[bytes]) -> Refusal | None:
    """Return why a token is refused; None for one that equals any of the secrets."""
    if not given:
        return Refusal.NO_TOKEN
    return None if _equals_one(given.encode(), secrets) else Refusal.WRONG_TOKEN


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return what a sender writes into the header: HMAC-SHA256 of ``<timestamp>.<body>``, hex."""
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def timestamp_refusal(
    given: str | None, timestamp: str | None, now: float, tolerance: float
) -> Refusal | None:
    """Return why a signed request is refused before its body is read; None if it may go on."""
    if not given or not timestamp:
        return Refusal.NO_SIGNATURE
    if not _SIGNATURE.fullmatch(given) or not _SECONDS.fullmatch(timestamp):
        return Refusal.WRONG_SIGNATURE
    return None if abs(now - int(timestamp)) <= tolerance else Refusal.STALE_TIMESTAMP


def signature_refusal(
    given: str, timestamp: str, body: bytes, secrets: Sequence[bytes]
) -> Refusal | None:
    """Return why a signature is refused; None for one made of this body with any of the secrets."""
    found = _SIGNATURE.fullmatch(given)
    expected = [signature(secret, timestamp, body).encode() for secret in secrets]
    if found and _equals_one(found[1].lower().encode(), expected):
        return None
    return Refusal.WRONG_SIGNATURE


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a rate at a moment: tokens, which come back at `rate` a second."""

    rate: float
    burst: int
    tokens: float
    at: float

    def take(self, now: float) -> "Bucket | None":
        """Return the bucket with one token less; None when there is none to take."""
        tokens = min(float(self.burst), self.tokens + max(0.0, now - self.at) * self.rate)
        return Bucket(self.rate, self.burst, tokens - 1, now) if tokens >= 1 else None


def _without_port(hop: str) -> str:
    found = _WITH_PORT.fullmatch(hop)
    return (found[1] or found[2]) if found else hop


def _equals_one(given: bytes, secrets: Sequence[bytes]) -> bool:
    equal = [hmac.compare_digest(given, secret) for secret in secrets]  # each, whichever is right
    return any(equal)
