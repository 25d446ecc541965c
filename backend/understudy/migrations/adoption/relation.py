"""Reads from PostgreSQL's catalog what kind of relation `ml_models` is and what our role may do with it."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, text

_READ = text("""
    SELECT n.nspname AS schema, c.relkind AS kind, quote_ident(current_user) AS role,
        quote_ident(current_schema()) AS current_schema, quote_ident(n.nspname) AS quoted_schema,
        pg_has_role(c.relowner, 'USAGE') AS owned, pg_get_userbyid(c.relowner) AS owner,
        row_security_active(c.oid) AS hides_rows,
        has_schema_privilege(n.oid, 'CREATE') AS may_create,
        array(
            SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRIGGER'])
            AS privilege WHERE NOT has_table_privilege(c.oid, privilege)
        ) AS missing,
        EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
        array(
            SELECT quote_ident(rulename) FROM pg_rewrite
            WHERE ev_class = c.oid AND is_instead AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY rulename
        ) AS rules,
        EXISTS (
            SELECT 1 FROM pg_trigger
            WHERE tgrelid = c.oid AND NOT tgisinternal AND tgtype & 7 = 7 AND tgenabled <> 'D'
        ) AS fills_rows
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass('ml_models')
""")
_SEES_ALL = text("""
    SELECT NOT EXISTS (
        SELECT 1 FROM pg_policy WHERE polrelid = to_regclass('ml_models') AND NOT polpermissive
    ) AND EXISTS (
        SELECT 1 FROM pg_policy
        WHERE polrelid = to_regclass('ml_models') AND polpermissive AND polcmd = '*'
            AND pg_get_expr(polqual, polrelid) = 'true'
            AND coalesce(pg_get_expr(polwithcheck, polrelid), 'true') = 'true'
            AND (0 = ANY (polroles) OR EXISTS (SELECT 1 FROM unnest(polroles) AS r WHERE pg_has_role(r, 'USAGE')))
    )
""")
_ELSEWHERE = text("""
    SELECT quote_ident(n.nspname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = 'ml_models' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
        AND c.oid IS DISTINCT FROM to_regclass('ml_models')
    ORDER BY n.nspname
""")
_SCHEMA = text("""
    SELECT quote_ident(current_schema()) AS name, quote_ident(current_user) AS role,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create,
        current_setting('search_path') AS path
""")


@dataclass(frozen=True)
class Relation:
    """`ml_models` as our role finds it along its search path; names are quoted for SQL.

    `missing` lists the privileges that our role lacks, and `rules` the rules that replace changes of rows. `fills_rows`
    is True when a trigger runs before each insert.
    """

    kind: str
    schema: str
    current_schema: str
    role: str
    owner: str
    owned: bool
    hides_rows: bool
    may_create: bool
    missing: tuple[str, ...]
    has_children: bool
    rules: tuple[str, ...]
    fills_rows: bool

    @classmethod
    def find(cls, connection: Connection) -> Self | None:
        """Return the relation, or None when no schema of the search path has one."""
        row = connection.execute(_READ).mappings().one_or_none()
        if row is None:
            return None
        return cls(
            kind=row["kind"],
            schema=row["quoted_schema"],
            current_schema=row["current_schema"] or "",
            role=row["role"],
            owner=row["owner"],
            owned=row["owned"],
            hides_rows=row["hides_rows"] and not connection.execute(_SEES_ALL).scalar_one(),
            may_create=row["may_create"],
            missing=tuple(row["missing"]),
            has_children=row["has_children"],
            rules=tuple(row["rules"]),
            fills_rows=row["fills_rows"],
        )


@dataclass(frozen=True)
class TargetSchema:
    """The schema in which a new table would be made; `name` is None when no schema of `path` exists."""

    name: str | None
    role: str
    may_create: bool
    path: str

    @classmethod
    def read(cls, connection: Connection) -> Self:
        return cls(*connection.execute(_SCHEMA).one())


def list_other_schemas(connection: Connection) -> list[str]:
    """Return the schemas that have another `ml_models` than the one that our role uses."""
    return list(connection.execute(_ELSEWHERE).scalars())
