from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from service.database import make_engine, migration_config, upgrade
from service.registry.tables import Table

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_migrated_schema_is_the_one_the_code_declares(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    with make_engine(empty_database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []


def test_indexes_and_constraints_are_those_the_code_declares(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    inspector = inspect(make_engine(empty_database_url))
    for table in Table.metadata.tables.values():
        assert {i["name"] for i in inspector.get_indexes(table.name) if not i.get("duplicates_constraint")} == {
            i.name for i in table.indexes
        }
        foreign = {
            (tuple(k["constrained_columns"]), k["referred_table"]) for k in inspector.get_foreign_keys(table.name)
        }
        assert foreign == {(tuple(k.column_keys), k.referred_table.name) for k in table.foreign_key_constraints}


def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    upgrade(empty_database_url)
    assert set(inspect(make_engine(empty_database_url)).get_table_names()) == {
        *Table.metadata.tables,
        "alembic_version",
    }


def test_processes_that_upgrade_at_once_all_succeed(empty_database_url: str) -> None:
    program = "import sys; from service.database import upgrade; upgrade(sys.argv[1])"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_database_url], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    outcomes = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    assert [code for _, code in outcomes] == [0, 0, 0, 0], outcomes
    assert set(inspect(make_engine(empty_database_url)).get_table_names()) >= set(Table.metadata.tables)


def test_an_upgrade_that_breaks_leaves_the_old_schema(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = command.upgrade

    def break_afterwards(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("the process dies before the commit")

    monkeypatch.setattr(command, "upgrade", break_afterwards)
    with pytest.raises(RuntimeError):
        upgrade(empty_database_url)
    assert inspect(make_engine(empty_database_url)).get_table_names() == []


def test_the_way_down_leads_back_to_an_empty_database(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    config = migration_config()
    with make_engine(empty_database_url).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(make_engine(empty_database_url)).get_table_names() == ["alembic_version"]


def test_the_alembic_command_reads_softrays_settings(tmp_path: Path) -> None:
    program = (
        "from alembic import command; from service.database import migration_config as c; command.upgrade(c(), 'head')"
    )
    environment = {"SOFTRAY_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    url = f"sqlite:///{tmp_path / 'data' / 'softray.sqlite3'}"
    assert set(inspect(make_engine(url)).get_table_names()) >= set(Table.metadata.tables)


def test_migrations_form_one_line_and_are_numbered_in_order() -> None:
    script = ScriptDirectory.from_config(migration_config())
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    files = sorted(p.name for p in (REPOSITORY / "migrations" / "versions").glob("0*.py"))
    assert [name[:4] for name in files] == revisions
