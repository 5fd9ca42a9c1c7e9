"""The file of who may send over the web."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dicom_node.web_tokens import read_tokens
from service.errors import ConfigurationError


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_line_lets_the_holder_of_its_token_in_under_its_ae_title(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who may send\n\nGATEWAY {sha256('one')}  # the vendor's\nX RAY 1   {sha256('two').upper()}\n")
    tokens = read_tokens(file)
    assert tokens.ae_title_of("Bearer one") == "GATEWAY"
    assert tokens.ae_title_of("BEARER  two ") == "X RAY 1"
    for nobody in (None, "", "one", "Bearer", "Bearer three", "Basic one", f"Bearer {sha256('one')}", "Bearer \udcff"):
        assert tokens.ae_title_of(nobody) is None


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("")
    assert read_tokens(tmp_path / "tokens").ae_title_of("Bearer ") is None


@pytest.mark.parametrize("line", ["GATEWAY secret-token", f"{sha256('x')}", f"AN AE TITLE TOO LONG {sha256('x')}"])
def test_a_line_that_is_none_is_named_and_not_repeated(tmp_path: Path, line: str) -> None:
    (tmp_path / "tokens").write_text(f"# first\n{line}\n")
    with pytest.raises(ConfigurationError, match=r"TOKENS_FILE_INVALID: line 2") as caught:
        read_tokens(tmp_path / "tokens")
    assert line not in str(caught.value)


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TOKENS_FILE_UNREADABLE"):
        read_tokens(tmp_path)
