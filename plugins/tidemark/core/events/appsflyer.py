"""AppsFlyer's Push API: the 114 fields that its messages may have, as columns.

The fields are those of the published list, the same for iOS and Android
(https://dev.appsflyer.com/hc/reference/put_v1-0-push-api-app-id); what a field holds is AppsFlyer's
glossary's to say. Blank fields are not sent at all, and new ones come without notice: those stay in
``event_data``.
"""

_ID, _NAME, _LONG, _URL = "VARCHAR(256)", "VARCHAR(1024)", "VARCHAR(4096)", "VARCHAR(65535)"
_TIME, _FLAG = "TIMESTAMP", "BOOLEAN"
# Converted amounts come with as many digits as a float has; ten after the point are kept.
_MONEY = "DECIMAL(28,10)"
# With the offset of the app's time zone, which a TIMESTAMP would lose.
_ZONED = "VARCHAR(64)"


def _all(names: str, kind: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


FIELDS: dict[str, str] = {
    # who
    **_all("appsflyer_id customer_user_id advertising_id android_id idfa idfv imei oaid", _ID),
    **_all("amazon_aid", _ID),
    # the app
    **_all("app_id app_version bundle_id platform sdk_version api_version", _ID),
    "app_name": _NAME,
    # what happened
    "event_name": _NAME,
    "event_time": _TIME,
    "event_time_selected_timezone": _ZONED,
    "event_value": _URL,
    **_all("event_source event_revenue_currency selected_currency", _ID),
    **_all("event_revenue event_revenue_usd revenue_in_selected_currency", _MONEY),
    "is_receipt_validated": _FLAG,
    **_all("conversion_type campaign_type", _ID),
    "custom_data": _URL,
    "custom_dimension": _NAME,
    # whom it is credited to
    **_all("media_source campaign af_adset af_ad af_channel af_siteid af_sub_siteid", _NAME),
    **_all("af_c_id af_adset_id af_ad_id af_ad_type af_prt af_cost_model", _ID),
    "af_keywords": _LONG,
    **_all("af_sub1 af_sub2 af_sub3 af_sub4 af_sub5", _LONG),
    **_all("af_cost_value cost_in_selected_currency", _MONEY),
    **_all("af_cost_currency af_attribution_lookback af_reengagement_window", _ID),
    "attributed_touch_type": _ID,
    "attributed_touch_time": _TIME,
    "attributed_touch_time_selected_timezone": _ZONED,
    "match_type": _ID,
    **_all("is_primary_attribution is_retargeting", _FLAG),
    **_all("retargeting_conversion_type keyword_id keyword_match_type network_account_id", _ID),
    **{
        f"contributor_{n}_{name}": kind
        for n in (1, 2, 3)
        for name, kind in {
            "af_prt": _ID,
            "campaign": _NAME,
            "match_type": _ID,
            "media_source": _NAME,
            "touch_time": _TIME,
            "touch_type": _ID,
        }.items()
    },
    # install and store
    "install_time": _TIME,
    "install_time_selected_timezone": _ZONED,
    "install_app_store": _ID,
    "store_reinstall": _FLAG,
    "device_download_time": _TIME,
    "device_download_time_selected_timezone": _ZONED,
    **_all("gp_referrer gp_broadcast_referrer", _LONG),
    **_all("gp_click_time gp_install_begin", _TIME),
    # device, network, place
    **_all("device_category device_type os_version language carrier operator", _ID),
    "device_model": _NAME,
    "user_agent": _LONG,
    "wifi": _FLAG,
    **_all("ip country_code region state city postal_code dma", _ID),
    # other
    **_all("http_referrer original_url deeplink_url", _URL),
    "is_lat": _FLAG,
    "selected_timezone": _ID,
}

# An event has no id of its own: appsflyer_id is that of an install. Where a re-engagement is
# counted beside the first attribution, AppsFlyer sends one message for each: same install, same
# moment, same value; who is credited tells them apart.
KEY = (
    *("app_id", "appsflyer_id", "event_name", "event_time", "event_value", "event_source"),
    *("conversion_type", "media_source", "is_retargeting", "is_primary_attribution"),
)

# The first of these that a message has.
DEVICE = ("idfa", "advertising_id", "idfv", "android_id", "oaid", "amazon_aid", "imei")
