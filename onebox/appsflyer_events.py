"""Example messages of AppsFlyer's Push API, one for each of its message types.

Made from the published list of fields, not recorded: nobody's device is in them. What a type
carries follows the fields' names (an organic install has no campaign, a SKAdNetwork message no
device); which of them an app sends is chosen in AppsFlyer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

_INSTALLS = ("install", "reinstall", "re-engagement", "re-attribution")
_ORGANIC = ("organic-install", "organic-reinstall")
SKADNETWORK = tuple(
    f"skad-{name}"
    for name in ("install", "re-download", "in-app-event", "postback", "postbacks-copy")
)
MESSAGE_TYPES = (
    *_INSTALLS,
    *_ORGANIC,
    *(f"{name}-in-app-event" for name in (*_INSTALLS, *_ORGANIC)),
    *SKADNETWORK,
)
"""Regular messages, those of in-app events, and SKAdNetwork's."""

APPS = ("id123456789", "com.example.shop")
"""The ``app_id`` of all of them: an app in Apple's shop and in Google's."""

_FIRST = datetime(2026, 11, 1, tzinfo=UTC)
_IN_APP = ("af_purchase", "af_add_to_cart", "af_content_view", "af_login", "af_level_achieved")
_SOURCES = ("googleadwords_int", "Facebook Ads", "tiktokglobal_int", "applovin_int")
_MODELS = ("Apple::iPhone15,2", "xiaomi::Redmi Note 8T", "samsung::SM-G991B", "Google::Pixel 8")


def example_events(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Return messages, each type in turn; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - examples, no secrets
    for number in range(count):
        yield example_event(MESSAGE_TYPES[number % len(MESSAGE_TYPES)], chance)


def example_event(message_type: str, chance: random.Random) -> dict[str, Any]:
    """Return one message of a type. Blank fields are left out, as AppsFlyer does."""
    at = _FIRST + timedelta(milliseconds=chance.randrange(20 * 86_400_000))
    installed = at - timedelta(minutes=chance.randrange(1, 40_000))
    kind = message_type.removesuffix("-in-app-event")
    event = _app(chance) | _happened(message_type, at, chance)
    if message_type in SKADNETWORK:
        return event | {"media_source": chance.choice(_SOURCES), "campaign": _campaign(chance)}
    event |= _device(event["platform"], chance) | _times("install_time", installed)
    if kind not in _ORGANIC:
        event |= _attribution(kind, installed - timedelta(minutes=chance.randrange(1, 600)), chance)
    if message_type.endswith("install") and event["platform"] == "android":
        event |= {
            "gp_click_time": _utc(installed - timedelta(minutes=2)),
            "gp_install_begin": _utc(installed - timedelta(minutes=1)),
            "gp_referrer": "utm_source=google-play&utm_medium=organic",
        }
    if "reinstall" in kind:
        event["store_reinstall"] = "true"
    return event


def _app(chance: random.Random) -> dict[str, Any]:
    ios = chance.random() < 0.5
    return {
        "app_id": APPS[0] if ios else APPS[1],
        "app_name": "Example Shop",
        "app_version": f"4.{chance.randrange(20)}.0",
        "bundle_id": "com.example.shop",
        "platform": "ios" if ios else "android",
        "sdk_version": "v6.15.1",
        "api_version": "2.0",
        "selected_timezone": "Asia/Kolkata",
        "selected_currency": "INR",
    }


def _happened(message_type: str, at: datetime, chance: random.Random) -> dict[str, Any]:
    event: dict[str, Any] = _times("event_time", at) | {
        "event_name": message_type.removeprefix("skad-"),
        "event_source": "SDK",
        "event_value": "{}",
    }
    if not message_type.endswith("in-app-event"):
        return event
    event["event_name"] = chance.choice(_IN_APP)
    if event["event_name"] == "af_purchase":
        cents = chance.randrange(99, 99_999)
        revenue = f"{cents // 100}.{cents % 100:02d}"
        event |= {
            "event_value": json.dumps({"af_revenue": revenue, "af_currency": "EUR"}),
            "event_revenue": revenue,
            "event_revenue_currency": "EUR",
            "event_revenue_usd": str(cents * 0.0108),
            "revenue_in_selected_currency": str(cents * 0.9012),
            "is_receipt_validated": "true",
        }
    return event


def _device(platform: str, chance: random.Random) -> dict[str, Any]:
    letters = "0123456789ABCDEF"
    identifier = "-".join("".join(chance.choices(letters, k=n)) for n in (8, 4, 4, 4, 12))
    ids = {"idfa": identifier, "idfv": identifier[::-1]}
    if platform == "android":
        ids = {"advertising_id": identifier.lower(), "android_id": identifier[:8].lower()}
    return ids | {
        "appsflyer_id": f"{chance.randrange(10**12, 2 * 10**12)}-{chance.randrange(10**6, 10**7)}",
        "customer_user_id": f"user-{chance.randrange(5_000)}",
        "device_model": chance.choice(_MODELS),
        "device_type": "phone",
        "device_category": "phone",
        "os_version": "17.1" if platform == "ios" else "14",
        "language": "en",
        "carrier": chance.choice(["Jio", "Vodafone", "Swisscom"]),
        "wifi": chance.choice(["true", "false"]),
        "ip": f"192.168.{chance.randrange(256)}.{chance.randrange(1, 255)}",
        "country_code": chance.choice(["IN", "CH", "DE"]),
        "region": "AS",
        "city": chance.choice(["Pune", "Zürich", "München", "मुंबई"]),
        "postal_code": "411001",
        "is_lat": "false",
        "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)",
    }


def _attribution(kind: str, touched: datetime, chance: random.Random) -> dict[str, Any]:
    again = kind in {"re-engagement", "re-attribution"}
    return _times("attributed_touch_time", touched) | {
        "attributed_touch_type": chance.choice(["click", "impression"]),
        "media_source": chance.choice(_SOURCES),
        "campaign": _campaign(chance),
        "campaign_type": "Retargeting" if again else "UA",
        "conversion_type": kind,
        **({"retargeting_conversion_type": kind} if again else {}),
        "af_c_id": str(chance.randrange(10**9)),
        "af_adset": "lookalike 3%",
        "af_cost_model": "cpi",
        "af_cost_value": "0.42",
        "af_cost_currency": "USD",
        "af_attribution_lookback": "7d",
        "match_type": "id_matching",
        "is_primary_attribution": chance.choice(["true", "false"]) if again else "true",
        "is_retargeting": str(again).lower(),
        "contributor_1_media_source": chance.choice(_SOURCES),
        "contributor_1_touch_time": _utc(touched - timedelta(hours=3)),
        "contributor_1_touch_type": "click",
    }


def _campaign(chance: random.Random) -> str:
    return f"autumn {chance.randrange(1, 9)}"


def _times(name: str, at: datetime) -> dict[str, Any]:
    there = (at + timedelta(hours=5, minutes=30)).replace(tzinfo=None)
    zoned = there.isoformat(sep=" ", timespec="milliseconds") + "+0530"
    return {name: _utc(at), f"{name}_selected_timezone": zoned}


def _utc(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
