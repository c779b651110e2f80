"""A database's schema as it really is, told in comparable words; it knows no model."""

import asyncpg

from turnout.db import driver, engines

Portrait = dict[str, list[str]]


async def of(url: str) -> Portrait:
    """Columns, constraints, indexes with conditions, functions and triggers, by their kind."""
    if engines.is_sqlite(url):
        return _of_sqlite(engines.sqlite_path(url))
    return await _of_postgresql(url)


def _of_sqlite(path: str) -> Portrait:
    connection = driver.sqlite.connect(path)
    try:
        made = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' "
            "AND tbl_name <> 'alembic_version' ORDER BY type, name"
        ).fetchall()
    finally:
        connection.close()
    portrait: Portrait = {}
    for kind, name, sql in made:
        # Columns and constraints in any order: what they say is compared, not where they stand.
        words = " ".join(sql.split())
        parts = sorted(_parts(words)) if kind == "table" else [words]
        portrait[f"{kind} {name}"] = parts
    return portrait


def _parts(statement: str) -> list[str]:
    """What stands between the outer parentheses, cut at its own commas; and what follows them."""
    first, last = statement.index("("), statement.rindex(")")
    parts, depth, part = [], 0, ""
    for letter in statement[first + 1 : last]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip(), f"after: {statement[last + 1 :].strip()}"]


_QUERIES = {
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace""",
    "triggers": """
        SELECT format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal""",
    "columns": """
        SELECT format('%s.%s %s %s %s', c.relname, a.attname,
            format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'alembic_version'""",
    "constraints": """
        SELECT format('%s.%s %s', c.relname, n.conname, pg_get_constraintdef(n.oid))
        FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'""",
    "indexes": """
        SELECT indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'""",
    "rest": """
        SELECT format('%s %s', relkind, relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i')""",
}


async def _of_postgresql(url: str) -> Portrait:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return {
            kind: sorted(row[0] for row in await connection.fetch(query))
            for kind, query in _QUERIES.items()
        }
    finally:
        await connection.close()
