"""Closes the tables to the roles of Supabase's API.

Supabase publishes every table of the schema `public` over HTTP. Its roles `anon` and `authenticated` have all rights
there by default, and the key for `anon` is part of every web page. Row level security without a policy hides all rows
from both. It does not cover TRUNCATE and sequences, therefore the rights are revoked as well. The owner of a table, as
which Understudy connects, is not subject to its row level security.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from understudy.migrations.adoption.table_finding import TABLE, AdoptionOutcome, TableFinding
from understudy.migrations.own_tables import OWN_TABLES, has_created_ml_models

_API_ROLES = ("anon", "authenticated")

_READ_ROLES = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names) ORDER BY rolname")

# `granted`: an API role has one of `rights` by name. `others`: roles that row level security would shut out.
_READ_TABLES = text("""
    SELECT wanted.name, format('%I.%I', space.nspname, found.relname) AS quoted, found.relrowsecurity AS secured,
        quote_ident(current_user) AS client, pg_has_role(found.relowner, 'USAGE') AS owned,
        EXISTS (
            SELECT FROM aclexplode(found.relacl) AS acl JOIN pg_roles ON pg_roles.oid = acl.grantee
            WHERE pg_roles.rolname = ANY(:roles) AND acl.privilege_type = ANY(:rights)
        ) AS granted,
        ARRAY(
            SELECT DISTINCT coalesce(quote_ident(grantee.rolname), 'PUBLIC')
            FROM aclexplode(found.relacl) AS acl LEFT JOIN pg_roles AS grantee ON grantee.oid = acl.grantee
            WHERE grantee.oid IS NULL OR NOT (
                grantee.rolname = ANY(:roles) OR grantee.rolbypassrls OR grantee.rolsuper
                OR pg_has_role(grantee.oid, found.relowner, 'USAGE')
            )
        ) AS others,
        ARRAY(
            SELECT format('%I.%I', space.nspname, sequence.relname)
            FROM pg_depend JOIN pg_class AS sequence ON sequence.oid = pg_depend.objid AND sequence.relkind = 'S'
            WHERE pg_depend.refobjid = found.oid AND pg_depend.deptype IN ('a', 'i') AND EXISTS (
                SELECT FROM aclexplode(sequence.relacl) AS acl JOIN pg_roles ON pg_roles.oid = acl.grantee
                WHERE pg_roles.rolname = ANY(:roles)
            )
        ) AS sequences,
        EXISTS (
            SELECT FROM unnest(CAST(:roles AS name[])) AS role
            WHERE has_table_privilege(role, found.oid, 'INSERT, UPDATE, DELETE')
        ) AS writable,
        EXISTS (
            SELECT FROM unnest(CAST(:roles AS name[])) AS role WHERE has_table_privilege(role, found.oid, 'SELECT')
        ) AS readable
    FROM unnest(CAST(:names AS text[])) AS wanted (name)
    JOIN pg_class AS found ON found.oid = to_regclass(quote_ident(wanted.name))
    JOIN pg_namespace AS space ON space.oid = found.relnamespace
    ORDER BY wanted.name
""")
_ALL_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
# On ml_models the rights that row level security governs stay, so that the user's own policies can open it again.
_UNGOVERNED_RIGHTS = ("TRUNCATE", "REFERENCES", "TRIGGER")


@dataclass(frozen=True)
class _Table:
    """A table as the roles of the API see it."""

    name: str
    quoted: str
    secured: bool
    client: str
    owned: bool
    granted: bool
    others: list[str]
    sequences: list[str]
    writable: bool
    readable: bool

    @property
    def is_open(self) -> bool:
        return not self.secured or self.granted or bool(self.sequences)

    @property
    def is_repairable(self) -> bool:
        """True when row level security may be enabled without shutting another role out."""
        return self.owned and (self.secured or not self.others)


def close_to_api_roles(connection: Connection, repair: bool) -> Iterator[TableFinding]:
    """Ensure that the roles of Supabase's API, where they exist, cannot read or write Understudy's own tables.

    `ml_models` is treated in the same way when a migration made it. When it was there before, it is only reported: the
    user's pages may read it.
    """
    roles = _read_roles(connection)
    if not roles:
        return
    yield from close_own_tables(connection, OWN_TABLES, repair=repair)
    ml_models = _read_tables(connection, (TABLE,), roles, _UNGOVERNED_RIGHTS)
    if has_created_ml_models(connection):
        opened = [each for each in ml_models if each.is_open]
        yield from _close(connection, opened, roles, ", ".join(_UNGOVERNED_RIGHTS), repair=repair)
    else:
        yield from (_describe_ml_models(each, roles) for each in ml_models if not each.secured and each.readable)


def close_own_tables(connection: Connection, names: tuple[str, ...], *, repair: bool) -> Iterator[TableFinding]:
    """Do the same for some of Understudy's own tables only, such as those that a migration has just made."""
    roles = _read_roles(connection)
    if roles:
        opened = [each for each in _read_tables(connection, names, roles, _ALL_RIGHTS) if each.is_open]
        yield from _close(connection, opened, roles, "ALL", repair=repair)


def _read_roles(connection: Connection) -> list[str]:
    """Return the roles of Supabase's API that exist here."""
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.execute(_READ_ROLES, {"names": list(_API_ROLES)}).scalars())


def _read_tables(
    connection: Connection, names: tuple[str, ...], roles: list[str], rights: tuple[str, ...]
) -> list[_Table]:
    found = connection.execute(_READ_TABLES, {"names": list(names), "roles": roles, "rights": list(rights)})
    return [_Table(**row) for row in found.mappings()]


def _close(
    connection: Connection, tables: list[_Table], roles: list[str], rights: str, *, repair: bool
) -> Iterator[TableFinding]:
    for closable in (True, False):
        chosen = [each for each in tables if each.is_repairable is closable]
        if not chosen:
            continue
        statements = [statement for each in chosen for statement in _build_statements(each, roles, rights)]
        detail = f"Supabase's roles {', '.join(roles)} had rights on {', '.join(each.name for each in chosen)}."
        if closable and repair:
            for statement in statements:
                connection.exec_driver_sql(statement)
        elif not closable:
            others = sorted({other for each in chosen for other in each.others})
            reason = f"{', '.join(others)} would lose access" if others else "this role does not own them"
            detail += f" They were not closed: {reason}. As their owner run: {' '.join(statements)}"
        yield TableFinding.from_repair("tables_open", detail, repaired=closable and repair)


def _build_statements(each: _Table, roles: list[str], rights: str) -> Iterator[str]:
    names = ", ".join(roles)
    if not each.secured:
        for other in each.others:
            yield (
                f'CREATE POLICY "understudy {other.strip(chr(34))}" ON {each.quoted} TO {other}'
                " USING (true) WITH CHECK (true);"
            )
        yield f"ALTER TABLE {each.quoted} ENABLE ROW LEVEL SECURITY;"
    yield f"REVOKE {rights} ON TABLE {each.quoted} FROM {names};"
    yield from (f"REVOKE ALL ON SEQUENCE {sequence} FROM {names};" for sequence in each.sequences)


def _describe_ml_models(each: _Table, roles: list[str]) -> TableFinding:
    may, outcome = ("read", AdoptionOutcome.NOTED)
    if each.writable:
        may, outcome = ("change", AdoptionOutcome.OPEN)
    detail = (
        f"Everyone with the project's public key can {may} {each.quoted}: row level security is off, and"
        f" {', '.join(roles)} have rights on it. To close it: ALTER TABLE {each.quoted} ENABLE ROW LEVEL SECURITY;"
        f' A page of yours that reads it with that key then also needs: CREATE POLICY "read models" ON {each.quoted}'
        f" FOR SELECT TO {', '.join(roles)} USING (true);"
    )
    if not each.owned:
        detail += (
            f' Understudy does not own it and needs: CREATE POLICY "understudy" ON {each.quoted}'
            f" TO {each.client} USING (true) WITH CHECK (true);"
        )
    return TableFinding("ml_models_open", detail, outcome)
