"""All targets together: `include/targets.yaml` read, and what one target alone cannot see."""

from collections.abc import Collection, Mapping
from typing import Any

from tidemark.core.documents import (
    Frozen,
    merge_defaults,
    parse_document,
    refuse_unknown,
    validate,
)
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.targets import KINDS, Staging, Target
from tidemark.core.streams import Loadable

FILE = "targets.yaml"

_SETTINGS = {name for kind in KINDS.values() for name in kind.model_fields}


class Targets(Frozen):
    """All warehouses, and the bucket they are fed from."""

    staging: Staging
    by_name: dict[str, Target]

    @property
    def required(self) -> tuple[Target, ...]:
        """The targets that gate the watermark."""
        return tuple(target for target in self.by_name.values() if target.required)

    def of(self, stream: Loadable) -> "Targets":
        """Those that a stream goes to."""
        chosen = {name: each for name, each in self.by_name.items() if stream.goes_to(name)}
        return self.model_copy(update={"by_name": chosen})

    def check_choice(self, chosen: Collection[str], where: str) -> None:
        """Raise `FixConfiguration` if a stream names targets that do not exist, or no required one.

        :param chosen: their names; none is all
        :param where: file and key that name them
        """
        if unknown := sorted(set(chosen) - self.by_name.keys()):
            raise FixConfiguration(
                what=f"{where}: {unknown[0]} is not in {FILE}",
                do=f"There are {', '.join(self.by_name)}.",
            )
        if chosen and not {target.name for target in self.required} & set(chosen):
            raise FixConfiguration(
                what=f"{where}: none of {', '.join(chosen)} has role: required",
                do="Add one that has, for one must be waited for.",
            )


def parse_targets(text: str, environ: Mapping[str, str], file: str = FILE) -> Targets:
    """Return the targets of a `targets.yaml`. Raises `FixConfiguration` naming target and key."""
    document = parse_document(text, file, environ)
    refuse_unknown(document, {"defaults", "targets", "staging"}, file)
    staging = validate(Staging, document.get("staging") or {}, file, "staging")
    merged = merge_defaults(document, "targets", file)
    by_name = {
        name: _target(name, document["targets"][name] or {}, values, file)
        for name, values in merged.items()
    }
    targets = Targets(staging=staging, by_name=by_name)
    if not targets.required:
        raise FixConfiguration(
            what=f"{file}: targets: none has role: required", do="Make at least one required."
        )
    for target in by_name.values():
        _check_region(target, staging, file)
    return targets


def _check_region(target: Target, staging: Staging, file: str) -> None:
    """Refuse a target whose COPY would find its files in another region."""
    own, where = target.own_staging, f"{file}: targets.{target.name}"
    if target.enabled and own is None and target.copies_within not in {None, staging.region}:
        raise FixConfiguration(
            what=f"{where}.region: {target.copies_within} is not the staging bucket's region "
            f"{staging.region}, and Redshift copies Parquet only inside one",
            do=f"Name a bucket of your own in {target.copies_within} as its staging_bucket.",
        )
    if own is not None and own.bucket == staging.bucket:
        raise FixConfiguration(
            what=f"{where}.staging_bucket: {own.bucket} is the staging bucket itself",
            do="Leave staging_bucket out, or name a bucket in the target's region.",
        )


def _target(name: str, own: Mapping[str, Any], values: Mapping[str, Any], file: str) -> Target:
    """Build a target of the kind it names. A default that only other kinds know is passed over."""
    kind = values.get("kind") or "redshift"
    if kind not in KINDS:
        raise FixConfiguration(
            what=f"{file}: targets.{name}.kind: {kind} is none of {', '.join(sorted(KINDS))}",
            do=f"Mend {file}.",
        )
    model = KINDS[kind]
    elsewhere = _SETTINGS - model.model_fields.keys() - own.keys()
    given = {key: value for key, value in values.items() if key not in elsewhere}
    return validate(model, {**given, "name": name, "kind": kind}, file, f"targets.{name}")
