"""AWS clients in a tenth of their usual time, for tests that open thousands.

Every attempt opens clients of its own, as a worker process does, and each would find out anew what
botocore's hundred handlers are called and take, how its endpoints are chosen, what its operations
are made of, which methods its class has, whether the environment names a proxy, and how it is to
call itself: a third of the time of a test. All that is the same for all clients of a service, and
is kept here; connections, retries and signatures remain each client's own. Nor does a test learn
more from a pause before a retry when it is long: retries come as often, after a twentieth of the
time.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import botocore.client
import botocore.compat
import botocore.endpoint
import botocore.hooks
import botocore.regions
import botocore.retries.standard
import botocore.useragent
import botocore.utils

_allowed = functools.lru_cache(1000)(botocore.useragent.sanitize_user_agent_string_component)
_takes_more = functools.lru_cache(1000)(botocore.compat.accepts_kwargs)
_alias = botocore.hooks.EventAliaser._alias_event_name
_NewModel = botocore.client.ServiceModel
_new_class = botocore.client.ClientCreator._create_client_class
_NewProvider = botocore.regions.EndpointProvider
_pause = botocore.retries.standard.ExponentialBackoff.delay_amount
_ALIASES: dict[str, str] = {}
_CLASSES: dict[tuple[Any, ...], type] = {}


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read from a file of botocore's, which one loader reads once."""

    content: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Read) and self.content is other.content

    def __hash__(self) -> int:
        return id(self.content)


def _takes(function: Any) -> bool:
    return bool(_takes_more(getattr(function, "__func__", function)))


def _alias_once(self: Any, name: str) -> str:
    return _ALIASES.get(name) or _ALIASES.setdefault(name, _alias(self, name))


def _copied(_: Any, trie: dict[str, Any]) -> dict[str, Any]:
    """As botocore does it, without asking ten thousand times what a node holds."""
    return {"_root": _copied_node(trie["_root"])}


def _copied_node(node: dict[str, Any]) -> dict[str, Any]:
    values = node["values"]
    return {
        "chunk": node["chunk"],
        "children": {part: _copied_node(child) for part, child in node["children"].items()},
        "values": values
        and botocore.hooks.NodeList(values.first[:], values.middle[:], values.last[:]),
    }


@functools.lru_cache(16)
def _kept_provider(rules: _Read, partitions: _Read, excluded: frozenset[str]) -> Any:
    return _NewProvider(rules.content, partitions.content, excluded)


def _provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
    return _kept_provider(
        _Read(ruleset_data), _Read(partition_data), frozenset(excluded_params or ())
    )


@functools.lru_cache(16)
def _kept_model(description: _Read, service_name: str) -> Any:
    return _NewModel(description.content, service_name)


def _model(service_description: Any, service_name: str) -> Any:
    return _kept_model(_Read(service_description), service_name)


def _class_once(self: Any, service_name: str, service_model: Any) -> type:
    """One class for each service and for what its session adds to it, as boto3's does."""
    added: dict[str, Any] = {}
    bases: list[type] = []
    event = f"creating-client-class.{service_model.service_id.hyphenize()}"
    self._event_emitter.emit(event, class_attributes=added, base_classes=bases)
    key = (service_name, service_model.api_version, *sorted(added), *bases)
    if key not in _CLASSES:
        _CLASSES[key] = _new_class(self, service_name, service_model)
    return _CLASSES[key]


def _short_pause(self: Any, context: Any) -> float:
    return float(_pause(self, context)) / 20


botocore.client.ServiceModel = _model
botocore.endpoint.get_environ_proxies = functools.lru_cache(100)(botocore.utils.get_environ_proxies)
botocore.hooks.accepts_kwargs = _takes
botocore.hooks.EventAliaser._alias_event_name = _alias_once
botocore.hooks._PrefixTrie._recursive_copy = _copied
botocore.regions.EndpointProvider = _provider
botocore.client.ClientCreator._create_client_class = _class_once
botocore.retries.standard.ExponentialBackoff.delay_amount = _short_pause
botocore.useragent.sanitize_user_agent_string_component = _allowed
