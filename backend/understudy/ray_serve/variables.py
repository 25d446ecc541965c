"""Chooses the environment variables that the replicas get."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field

from pydantic import AliasChoices

from understudy.errors import Misconfigured
from understudy.settings import Settings

_PREFIX = "UNDERSTUDY_"
_SECRET_FIELDS = ("database_url", "jwt_secret", "oidc_client_secret")
# The variables of the providers' own tools, which hold credentials; see docs/store.md.
_STORE_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
# Those of PostgreSQL's client library may hold a password.
_DATABASE_PREFIX = "PG"
_TRACES_PREFIX = "OTEL_"
_PATH_FIELDS = ("backbone", "tls_cert", "tls_key")


@dataclass(frozen=True)
class ReplicaVariables:
    """Environment variables of a replica. Its representation shows names only, because values may be secrets.

    `version` is that of the Understudy that deploys. `sqlite_node` is Ray's id of the only node that may run replicas,
    because the registry is a file there; None with PostgreSQL. `secrets_on_nodes` names the settings that were not sent
    and that each node must have itself; None: all that are set were sent.
    """

    values: Mapping[str, str] = field(repr=False)
    version: str
    sqlite_node: str | None = None
    secrets_on_nodes: tuple[str, ...] | None = None

    def apply(self, environment: MutableMapping[str, str]) -> None:
        """Make the settings in `environment` those of the command, whatever the node itself has.

        Raises Misconfigured where the node lacks a secret that was not sent: without DATABASE_URL, say, it would
        serve another registry.
        """
        own = () if self.secrets_on_nodes is None else _SECRET_FIELDS
        foreign = _list_known() - {name for each in own for name in _list_names(each)}
        for name in [each for each in environment if each.upper() in foreign]:
            del environment[name]
        environment.update(self.values)
        present = {name.upper() for name, value in environment.items() if value.strip()}
        for each in self.secrets_on_nodes or ():
            if present.isdisjoint(names := _list_names(each)):
                raise Misconfigured(
                    f"{names[0]} is not set on this node, and --secrets-on-nodes did not send it.",
                    remedy=f"Set {names[0]} where `ray start` runs, on every node, or deploy without "
                    "--secrets-on-nodes.",
                )


def collect_variables(
    settings: Settings, environment: Mapping[str, str], workers: int, *, secrets: bool
) -> dict[str, str]:
    """Return the variables that make a replica's settings those of this process.

    `settings` were loaded from `environment` and the command's options. Each replica has `workers` worker processes
    unless the environment says otherwise. Without `secrets` those are left out that may hold one: the nodes then have
    them in their own environment.
    """
    left_out = set() if secrets else {name for each in _SECRET_FIELDS for name in _list_names(each)}
    known = _list_known() - left_out
    values = {name.upper(): value for name, value in environment.items() if name.upper() in known}
    if secrets:
        prefixes = tuple(_list_secret_prefixes(settings))
        values |= {name: value for name, value in environment.items() if prefixes and name.startswith(prefixes)}
    if settings.traces:
        values |= {name: value for name, value in environment.items() if name.startswith(_TRACES_PREFIX)}
    values.setdefault("UNDERSTUDY_WORKERS", str(workers))
    # Ray's own proxy is what other machines reach, so that its address decides whether accounts are needed.
    values |= {"UNDERSTUDY_HOME": str(settings.home.resolve()), "UNDERSTUDY_HOST": settings.host}
    # Relative paths are those of this command's working folder, and replicas have another one.
    paths = {each: getattr(settings, each) for each in _PATH_FIELDS}
    values |= {f"{_PREFIX}{each}".upper(): str(path.absolute()) for each, path in paths.items() if path is not None}
    if settings.allow_unauthenticated:
        values["UNDERSTUDY_ALLOW_UNAUTHENTICATED"] = "true"
    return values


def list_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the settings that are set and may hold a secret."""
    return tuple(each for each in _SECRET_FIELDS if getattr(settings, each) is not None)


def _list_known() -> set[str]:
    """Return the environment variables of all settings."""
    return {name for each in Settings.model_fields for name in _list_names(each)}


def _list_names(setting: str) -> tuple[str, ...]:
    """Return the environment variables of a setting."""
    alias = Settings.model_fields[setting].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(each for each in alias.choices if isinstance(each, str))
    return (f"{_PREFIX}{setting}".upper(),)


def _list_secret_prefixes(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield _DATABASE_PREFIX
    if settings.store is not None:
        yield from filter(None, [_STORE_PREFIXES.get(settings.store.partition(":")[0])])
