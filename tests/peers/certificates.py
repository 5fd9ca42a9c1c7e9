"""Throw-away certificates from the `openssl` command: a CA, and what it, or nobody that matters, has signed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_node.tls import TlsFiles


@dataclass(frozen=True)
class Authority:
    """A CA in `folder`."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, *, days: int = 2, host: str = "127.0.0.1") -> TlsFiles:
        """A certificate for `host`, for both ends of a connection; `days` negative: it has expired."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        kind = "IP" if host.replace(".", "").isdigit() else "DNS"
        extensions.write_text(f"subjectAltName={kind}:{host}\n")
        subject = ["-subj", f"/CN={name}"]
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject, key, request)
        if days >= 0:
            dates = ["-days", str(days)]
            _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key",
                     "-CAcreateserial", "-extfile", extensions, *dates, "-out", certificate)  # fmt: skip
        else:
            self._issue_expired(request, certificate)
        return TlsFiles(certificate, key, self.certificate)

    def _issue_expired(self, request: Path, certificate: Path) -> None:
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("01\n")
        configuration = self.folder / "ca.cnf"
        configuration.write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.folder}/index.txt\nserial={self.folder}/serial\n"
            f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
        )
        _openssl("ca", "-batch", "-config", configuration, "-in", request, "-cert", self.certificate, "-keyfile",
                 self.folder / "ca.key", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
                 "-out", certificate, "-notext")  # fmt: skip


def authority(folder: Path) -> Authority:
    """A new CA; skips the test where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir()
    made = Authority(folder)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={folder.name}", "-keyout", str(folder / "ca.key"), "-out", str(made.certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def _openssl(command: str, *arguments: str | Path) -> None:
    words = [str(argument) for argument in arguments]
    if command == "req":
        words = [*words[:-2], "-keyout", words[-2], "-out", words[-1]]
    subprocess.run(["openssl", command, *words], check=True, capture_output=True)
