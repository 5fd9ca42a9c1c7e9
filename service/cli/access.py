"""Commands about who may use the admin API: people and API tokens. They work on the registry, so whoever may run them
on this machine is an administrator anyway."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from service.access import login_limits, tokens, users, web_sessions
from service.access.roles import Role
from service.audit.chain import append
from service.audit.events import AuditEvent, AuditKind
from service.cli.connection import session
from service.cli.launch import fail
from service.cli.operator import operator
from service.errors import ConfigurationError

user_app = typer.Typer(help="People who may log in to the pages: add, list, disable, change role or password.")
token_app = typer.Typer(help="API tokens for programs: create (shown once), list, revoke.")

Name = Annotated[str, typer.Argument(help="The account's name.")]


def add_to(parent: typer.Typer) -> None:
    """Register the commands of this file."""
    parent.add_typer(user_app, name="user", no_args_is_help=True)
    parent.add_typer(token_app, name="token", no_args_is_help=True)


@user_app.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer sees states, operator retries, admin may do everything.")],
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="May look at pictures and DICOM objects: patients' data.")
    ] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; without it, it is asked for.")
    ] = None,
) -> None:
    """Add a person with a password, where there is no identity provider."""
    now = datetime.now(UTC)
    password = _password(password_file)
    try:
        with session() as opened:
            users.add_user(opened, name=name, role=role, images=images, password=password, now=now)
            detail = _said(role, images)
            append(opened, AuditEvent(AuditKind.USER_ADDED, operator(), subject=name, detail=detail), now=now)
    except ConfigurationError as error:
        fail(str(error))
    typer.echo(f"added {name}: {_said(role, images)}")


@user_app.command("list")
def list_users() -> None:
    """List the accounts, each with its role and whether it may see images."""
    with session() as opened:
        rows = users.list_users(opened)
    if not rows:
        typer.echo("nobody yet: add somebody with `softray user add NAME --role admin`")
        return
    table = Table("name", "role", "images", "login", "last login (UTC)", "state")
    for row in rows:
        last = f"{row.last_login_at:%Y-%m-%d %H:%M}" if row.last_login_at else "never"
        table.add_row(
            row.name, row.role, "yes" if row.images else "no", row.login, last, "disabled" if row.disabled_at else ""
        )
    Console().print(table)


@user_app.command("disable")
def disable_user(name: Name) -> None:
    """Let nobody in under this name any more; whoever is in is logged out."""
    _change(name, "disabled", lambda opened, now: users.disable_user(opened, name, now=now))


@user_app.command("enable")
def enable_user(name: Name) -> None:
    """Undo `disable`, and what failed logins have locked."""

    def enable(opened: Session, now: datetime) -> None:
        users.enable_user(opened, name)
        login_limits.unlock_account(opened, name)

    _change(name, "enabled", enable)


@user_app.command("role")
def change_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="viewer, operator or admin.")],
    images: Annotated[bool | None, typer.Option("--images/--no-images", help="May look at patients' images.")] = None,
) -> None:
    """Change what an account may do; it counts at once, for open sessions too."""
    what = f"role {role}" + ("" if images is None else ", images" if images else ", no images")
    _change(name, what, lambda opened, now: users.set_role(opened, name, role=role, images=images, now=now))


@user_app.command("password")
def change_password(
    name: Name,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; without it, it is asked for.")
    ] = None,
) -> None:
    """Set a new password; whoever is logged in with the old one is logged out."""
    password = _password(password_file)
    _change(name, "new password", lambda opened, now: users.set_password(opened, name, password, now=now))


@user_app.command("log-out")
def log_out(name: Name) -> None:
    """Log an account out everywhere."""
    _change(
        name,
        "logged out everywhere",
        lambda opened, now: web_sessions.end_sessions_of(opened, users.user_id_of(opened, name), now=now),
    )


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for, e.g. grafana.")],
    role: Annotated[Role, typer.Option(help="metrics, viewer, operator or admin.")] = Role.VIEWER,
    images: Annotated[bool, typer.Option("--images/--no-images", help="May fetch pictures: patients' data.")] = False,
    days: Annotated[int, typer.Option(help="Good for so many days.", min=1, max=3650)] = 365,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    now = datetime.now(UTC)
    by = operator()
    try:
        with session() as opened:
            secret = tokens.create_token(
                opened, name=name, role=role, images=images, created_by=by.name, expires_at=now + timedelta(days=days),
                now=now,
            )  # fmt: skip
            detail = f"{_said(role, images)}, {days} days"
            append(opened, AuditEvent(AuditKind.TOKEN_CREATED, by, subject=name, detail=detail), now=now)
    except ConfigurationError as error:
        fail(str(error))
    typer.echo(f"{name}: {_said(role, images)}, until {now + timedelta(days=days):%Y-%m-%d}. Keep it now:", err=True)
    typer.echo(secret)


@token_app.command("list")
def list_tokens() -> None:
    """List the tokens, without their secrets."""
    now = datetime.now(UTC)
    with session() as opened:
        rows = tokens.list_tokens(opened)
    if not rows:
        typer.echo("no tokens yet: make one with `softray token create NAME`")
        return
    table = Table("name", "role", "images", "made", "by", "until", "last used (hour, UTC)", "state")
    for row in rows:
        state = "" if row.is_live(now) else "revoked" if row.revoked_at else "expired"
        table.add_row(
            row.name,
            row.role,
            "yes" if row.images else "no",
            f"{row.created_at:%Y-%m-%d}",
            row.created_by,
            f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "",
            f"{row.last_used_at:%Y-%m-%d %H}" if row.last_used_at else "never",
            state,
        )
    Console().print(table)


@token_app.command("revoke")
def revoke_token(name: Annotated[str, typer.Argument(help="The token's name.")]) -> None:
    """End a token at once."""
    now = datetime.now(UTC)
    with session() as opened:
        ended = tokens.revoke_tokens(opened, name, now=now)
        if ended:
            append(opened, AuditEvent(AuditKind.TOKEN_REVOKED, operator(), subject=name), now=now)
    if not ended:
        fail(f"TOKEN_UNKNOWN: no token in use is named {name!r}")
    typer.echo(f"revoked {name}")


def _change(name: str, what: str, change: Callable[[Session, datetime], None]) -> None:
    now = datetime.now(UTC)
    try:
        with session() as opened:
            change(opened, now)
            append(opened, AuditEvent(AuditKind.USER_CHANGED, operator(), subject=name, detail=what), now=now)
    except ConfigurationError as error:
        fail(str(error))
    typer.echo(f"{name}: {what}")


def _password(path: Path | None) -> str:
    """From the file, or asked for twice; never from an argument, which every user of the machine can see."""
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"PASSWORD_UNREADABLE: expected a readable file, found: {type(error).__name__}")
    if not sys.stdin.isatty():
        fail("PASSWORD_MISSING: expected --password-file, since nobody can be asked here")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        fail("PASSWORD_DIFFERS: the two are not the same")
    return password


def _said(role: Role, images: bool) -> str:
    return f"{role}, may look at images" if images else str(role)
