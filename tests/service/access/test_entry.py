from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from service.access import login_limits, tokens, users, web_sessions
from service.access.entry import Entry
from service.access.errors import LoginRefusedError
from service.access.login_limits import LoginLimits
from service.access.roles import Role
from service.audit.records import read_events
from service.database import transaction
from service.errors import ConfigurationError
from service.registry.tables import Table
from tests.service.access.conftest import PASSWORD, Clock

HOST = "10.0.0.7"


def trail(entry: Entry) -> list[tuple[str, str, str, str]]:
    with transaction(entry.sessions, read_only=True) as session:
        return [(event.kind, event.outcome, event.actor, event.subject) for event in read_events(session)]


def refused(entry: Entry, name: str, password: str, host: str = HOST) -> LoginRefusedError:
    with pytest.raises(LoginRefusedError) as raised:
        entry.by_password(name, password, host)
    return raised.value


def test_the_right_password_opens_a_session_with_the_accounts_rights(entry: Entry, jane: str) -> None:
    principal = entry.cookie(entry.by_password(" JANE ", PASSWORD, HOST))
    assert principal is not None
    assert (principal.name, principal.role, principal.images) == ("jane", Role.VIEWER, True)
    assert trail(entry) == [("LOGIN", "SUCCESS", "jane", "")]


@pytest.mark.parametrize("name", ["jane", "nobody", "", "jane' --", "a" * 500, "\0", "Hunter2-in-the-wrong-field"])
def test_a_wrong_login_says_the_same_whatever_was_wrong(entry: Entry, jane: str, name: str) -> None:
    error = refused(entry, name, "wrong password")
    assert (error.code, error.wait_s) == ("LOGIN_FAILED", 0)
    ((kind, outcome, actor, _),) = trail(entry)
    assert (kind, outcome) == ("LOGIN", "FAILURE")
    # What was typed may have been a password: only an account that exists is named.
    assert actor == ("jane" if name == "jane" else "")


def test_guessing_locks_the_account_for_a_while_even_for_the_right_password(
    entry: Entry, jane: str, clock: Clock
) -> None:
    for _ in range(5):
        assert refused(entry, jane, "wrong password").wait_s == 0
    error = refused(entry, jane, PASSWORD)
    assert error.code == "LOGIN_LOCKED"
    assert 800 < error.wait_s <= 901
    assert ("LOCKED_OUT", "FAILURE", "jane", "jane") in trail(entry)
    told = len(trail(entry))
    for _ in range(50):
        refused(entry, jane, "wrong password")
    assert len(trail(entry)) == told  # whoever goes on fills no table
    clock.forward(901)
    assert entry.by_password(jane, PASSWORD, HOST)


def test_whoever_only_knows_a_name_does_not_keep_its_owner_out(entry: Entry, jane: str) -> None:
    for _ in range(6):
        refused(entry, jane, "wrong password", "203.0.113.9")
    assert refused(entry, jane, PASSWORD, "203.0.113.9").wait_s > 0
    assert entry.by_password(jane, PASSWORD, HOST)


def test_many_addresses_together_do_not_guess_on(sessions: sessionmaker[Session], jane: str, clock: Clock) -> None:
    entry = Entry(sessions, limits=LoginLimits(of_account=8), clock=clock)
    for number in range(8):
        assert refused(entry, jane, "wrong password", f"203.0.113.{number // 4}").wait_s == 0
    assert refused(entry, jane, PASSWORD).wait_s > 0


def test_all_addresses_of_an_ipv6_network_are_one_guesser(entry: Entry, jane: str) -> None:
    for number in range(5):
        refused(entry, jane, "wrong password", f"2001:db8::{number:x}")
    assert refused(entry, jane, PASSWORD, "2001:db8::ffff").wait_s > 0
    assert entry.by_password(jane, PASSWORD, "2001:db8:0:1::1")


def test_guessing_many_names_locks_the_address_and_nobody_elses(entry: Entry, jane: str) -> None:
    for number in range(20):
        assert refused(entry, f"name{number}", "wrong password").wait_s == 0
    assert refused(entry, jane, PASSWORD).wait_s > 0
    assert entry.by_password(jane, PASSWORD, "10.0.0.8")
    assert ("LOCKED_OUT", "FAILURE", "", HOST) in trail(entry)


def test_a_forgotten_script_with_an_ended_token_locks_nobody_out(entry: Entry, jane: str) -> None:
    codes = []
    for _ in range(25):
        with pytest.raises(LoginRefusedError) as caught:
            entry.bearer("softray_ended", HOST)
        codes.append(caught.value.code)
    assert (codes.count("TOKEN_NOT_GOOD"), codes[-1]) == (20, "LOGIN_LOCKED")
    assert entry.by_password(jane, PASSWORD, HOST)


def test_a_hundred_guesses_at_once_are_a_hundred_guesses(entry: Entry, jane: str) -> None:
    errors: list[str] = []

    def guess() -> None:
        try:
            entry.by_password(jane, "wrong password", HOST)
        except LoginRefusedError as error:
            errors.append(error.code)

    guessers = [threading.Thread(target=guess) for _ in range(12)]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join()
    assert errors.count("LOGIN_FAILED") == 5
    assert errors.count("LOGIN_LOCKED") == 7


def test_a_login_that_works_forgets_the_failures_before_it(entry: Entry, jane: str) -> None:
    for _ in range(3):
        for _ in range(4):
            refused(entry, jane, "wrong password")
        entry.by_password(jane, PASSWORD, HOST)


def test_an_administrator_can_unlock(entry: Entry, jane: str, sessions: sessionmaker[Session]) -> None:
    for _ in range(5):
        refused(entry, jane, "wrong password")
    with transaction(sessions) as session:
        login_limits.unlock_account(session, jane)
        login_limits.forget_failures(session, login_limits.of_address(HOST))
    assert entry.by_password(jane, PASSWORD, HOST)


def test_a_session_ends_when_idle_when_old_and_when_logged_out(entry: Entry, jane: str, clock: Clock) -> None:
    secret = entry.by_password(jane, PASSWORD, HOST)
    for _ in range(5):
        clock.forward(500)
        assert entry.cookie(secret) is not None
    idle = entry.by_password(jane, PASSWORD, HOST)
    clock.forward(601)
    assert entry.cookie(idle) is None
    old = entry.by_password(jane, PASSWORD, HOST)
    for _ in range(7):
        clock.forward(500)
        entry.cookie(old)
    assert entry.cookie(old) is not None
    clock.forward(101)
    assert entry.cookie(old) is None
    one, other = (entry.by_password(jane, PASSWORD, HOST) for _ in range(2))
    principal = entry.cookie(one)
    assert principal is not None
    entry.log_out(principal, HOST)
    assert entry.cookie(one) is None
    other_principal = entry.cookie(other)
    assert other_principal is not None
    third = entry.by_password(jane, PASSWORD, HOST)
    entry.log_out(other_principal, HOST, everywhere=True)
    assert (entry.cookie(other), entry.cookie(third)) == (None, None)
    assert trail(entry)[-1][0] == "LOGOUT"


def test_what_happens_to_an_account_happens_to_its_open_sessions(
    entry: Entry, jane: str, sessions: sessionmaker[Session], clock: Clock
) -> None:
    secret = entry.by_password(jane, PASSWORD, HOST)
    with transaction(sessions) as session:
        users.set_role(session, jane, role=Role.OPERATOR, images=False, now=clock())
    principal = entry.cookie(secret)
    assert principal is not None
    assert (principal.role, principal.images) == (Role.OPERATOR, False)
    with transaction(sessions) as session:
        users.set_password(session, jane, "another long password", now=clock())
    assert entry.cookie(secret) is None
    secret = entry.by_password(jane, "another long password", HOST)
    with transaction(sessions) as session:
        users.disable_user(session, jane, now=clock())
    assert entry.cookie(secret) is None
    assert refused(entry, jane, "another long password").code == "LOGIN_FAILED"


def test_the_last_administrator_can_neither_go_nor_step_down(sessions: sessionmaker[Session], clock: Clock) -> None:
    with transaction(sessions) as session:
        users.add_user(session, name="root", role=Role.ADMIN, images=False, password=PASSWORD, now=clock())
    with pytest.raises(ConfigurationError, match="LAST_ADMIN"), transaction(sessions) as session:
        users.disable_user(session, "root", now=clock())
    with pytest.raises(ConfigurationError, match="LAST_ADMIN"), transaction(sessions) as session:
        users.set_role(session, "root", role=Role.VIEWER, images=None, now=clock())


@pytest.mark.parametrize("password", ["short", "a" * 257, "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_is_refused(sessions: sessionmaker[Session], clock: Clock, password: str) -> None:
    with pytest.raises(ConfigurationError, match="PASSWORD_TOO_WEAK"), transaction(sessions) as session:
        users.add_user(session, name="jane", role=Role.VIEWER, images=False, password=password, now=clock())


def test_the_first_start_token_is_good_for_one_login_and_no_request(
    entry: Entry, sessions: sessionmaker[Session], clock: Clock
) -> None:
    with transaction(sessions) as session:
        void = tokens.create_first_start_token(session, now=clock())
        secret = tokens.create_first_start_token(session, now=clock())
    with pytest.raises(LoginRefusedError):
        entry.bearer(secret, HOST)
    with pytest.raises(LoginRefusedError):
        entry.by_first_start_token(void, HOST)
    found: list[str] = []

    def redeem() -> None:
        try:
            found.append(entry.by_first_start_token(secret, HOST))
        except LoginRefusedError:
            return

    redeemers = [threading.Thread(target=redeem) for _ in range(5)]
    for redeemer in redeemers:
        redeemer.start()
    for redeemer in redeemers:
        redeemer.join()
    assert len(found) == 1
    principal = entry.cookie(found[0])
    assert principal is not None
    assert (principal.role, principal.images, principal.name) == (Role.ADMIN, False, web_sessions.FIRST_START_NAME)


def test_a_first_start_token_is_void_after_an_hour(entry: Entry, sessions: sessionmaker[Session], clock: Clock) -> None:
    with transaction(sessions) as session:
        secret = tokens.create_first_start_token(session, now=clock())
    clock.forward(3600)
    with pytest.raises(LoginRefusedError):
        entry.by_first_start_token(secret, HOST)


def test_a_token_ends_by_time_and_by_hand_and_its_use_is_kept_by_the_hour(
    entry: Entry, sessions: sessionmaker[Session], clock: Clock
) -> None:
    def make(name: str) -> str:
        with transaction(sessions) as session:
            return tokens.create_token(
                session, name=name, role=Role.METRICS, images=False, created_by="root",
                expires_at=clock() + timedelta(days=1), now=clock(),
            )  # fmt: skip

    secret = make("grafana")
    clock.forward(1234)
    assert entry.bearer(secret, HOST).role is Role.METRICS
    with transaction(sessions, read_only=True) as session:
        (row,) = tokens.list_tokens(session)
    assert row.last_used_at is not None
    assert (row.last_used_at.minute, row.last_used_at.second) == (0, 0)
    with pytest.raises(ConfigurationError, match="TOKEN_EXISTS"):
        make("grafana")
    with transaction(sessions) as session:
        assert tokens.revoke_tokens(session, "grafana", now=clock()) == 1
    with pytest.raises(LoginRefusedError, match="TOKEN_NOT_GOOD"):
        entry.bearer(secret, HOST)
    again = make("grafana")
    clock.forward(24 * 3600)
    with pytest.raises(LoginRefusedError, match="TOKEN_NOT_GOOD"):
        entry.bearer(again, HOST)


def test_secrets_are_nowhere_in_the_registry(
    entry: Entry, jane: str, sessions: sessionmaker[Session], clock: Clock
) -> None:
    cookie = entry.by_password(jane, PASSWORD, HOST)
    with transaction(sessions) as session:
        token = tokens.create_token(
            session, name="a", role=Role.VIEWER, images=False, created_by="x", expires_at=None, now=clock()
        )
    csrf = entry.cookie(cookie)
    assert csrf is not None
    with transaction(sessions, read_only=True) as session:
        rows = [str(row) for table in Table.metadata.sorted_tables for row in session.execute(select(table))]
    assert rows
    for secret in (cookie, token, PASSWORD, str(csrf.csrf_token)):
        assert not any(secret in row for row in rows)
