"""What each route asks for: the one place where that is decided. A route without a rule answers nobody but an admin.

`right` None: anybody, without a login. Looking at what asks for IMAGES is audited, and so is every request that changes
something (`service.api.access_gate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.routing import compile_path

from service.access.roles import Right


@dataclass(frozen=True)
class Rule:
    """One method of one path (as the router writes it). `page`: a browser that must log in is sent to do so."""

    method: str
    path: str
    right: Right | None
    page: bool = False
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.path)[0])


RULES: tuple[Rule, ...] = (
    # Anybody: container engines, and whoever wants to log in.
    Rule("GET", "/health/live", None),
    Rule("GET", "/health/ready", None),
    Rule("GET", "/healthz", None),
    Rule("GET", "/readyz", None),
    Rule("GET", "/login", None),
    Rule("POST", "/login", None),
    Rule("GET", "/login/oidc", None),
    Rule("GET", "/login/oidc/callback", None),
    Rule("GET", "/static/{path:path}", None),
    # Monitoring
    Rule("GET", "/metrics", Right.METRICS),
    # Pages
    Rule("GET", "/", Right.STATES, page=True),
    Rule("GET", "/pages/studies/{study_instance_uid}", Right.STATES, page=True),
    Rule("GET", "/pages/images", Right.STATES, page=True),
    Rule("GET", "/pages/studies", Right.STATES, page=True),
    Rule("GET", "/pages/failures", Right.STATES, page=True),
    Rule("GET", "/pages/destinations", Right.STATES, page=True),
    Rule("GET", "/pages/images/{job_id}", Right.STATES, page=True),
    Rule("GET", "/refused", Right.STATES, page=True),
    Rule("GET", "/docs", Right.STATES, page=True),
    Rule("POST", "/logout", Right.STATES),
    Rule("POST", "/logout/everywhere", Right.STATES),
    # What arrived, and what became of it
    Rule("GET", "/openapi.json", Right.STATES),
    Rule("GET", "/api/v1/studies", Right.STATES),
    Rule("GET", "/api/v1/studies/{study_instance_uid}", Right.STATES),
    Rule("GET", "/api/v1/jobs", Right.STATES),
    Rule("GET", "/api/v1/jobs/{job_id}", Right.STATES),
    Rule("GET", "/api/v1/jobs/{job_id}/receipt", Right.STATES),
    Rule("GET", "/api/v1/rejections", Right.STATES),
    Rule("GET", "/api/v1/not-processed", Right.STATES),
    Rule("GET", "/api/v1/remote-nodes", Right.STATES),
    Rule("GET", "/api/v1/version", Right.STATES),
    Rule("GET", "/api/v1/me", Right.STATES),
    # Patients' data
    Rule("GET", "/api/v1/jobs/{job_id}/previews/{name}.png", Right.IMAGES),
    Rule("GET", "/api/v1/jobs/{job_id}/source.dcm", Right.IMAGES),
    Rule("GET", "/api/v1/jobs/{job_id}/results/{sop_instance_uid}.dcm", Right.IMAGES),
    # Reader studies
    Rule("GET", "/api/v1/jobs/{job_id}/scores", Right.STATES),
    Rule("PUT", "/api/v1/jobs/{job_id}/scores", Right.IMAGES),
    Rule("GET", "/api/v1/my-reader-studies", Right.STATES),
    Rule("POST", "/api/v1/reader-studies/{study_id}/next", Right.IMAGES),
    Rule("GET", "/api/v1/readings/{reading_id}/pictures/{picture}.png", Right.IMAGES),
    Rule("POST", "/api/v1/readings/{reading_id}/finish", Right.IMAGES),
    Rule("GET", "/api/v1/reader-studies", Right.ADMINISTER),
    Rule("POST", "/api/v1/reader-studies", Right.ADMINISTER),
    Rule("GET", "/api/v1/reader-studies/{study_id}", Right.ADMINISTER),
    Rule("PUT", "/api/v1/reader-studies/{study_id}/truth", Right.ADMINISTER),
    Rule("POST", "/api/v1/reader-studies/{study_id}/close", Right.ADMINISTER),
    Rule("GET", "/api/v1/reader-studies/{study_id}/report", Right.ADMINISTER),
    Rule("GET", "/api/v1/reader-studies/{study_id}/report.csv", Right.ADMINISTER),
    Rule("GET", "/api/v1/reader-studies/{study_id}/marks.csv", Right.ADMINISTER),
    Rule("GET", "/api/v1/scores", Right.ADMINISTER),
    Rule("GET", "/api/v1/scores.csv", Right.ADMINISTER),
    Rule("GET", "/api/v1/jobs/{job_id}/pixels/{layer}", Right.IMAGES),
    # The work under way
    Rule("POST", "/api/v1/jobs/retry", Right.OPERATE),
    Rule("POST", "/api/v1/jobs/{job_id}/retry", Right.OPERATE),
    Rule("POST", "/api/v1/jobs/{job_id}/cancel", Right.OPERATE),
    Rule("POST", "/api/v1/jobs/{job_id}/priority", Right.OPERATE),
    # Results taken back; /plan stands before /{recall_id}, as in the router
    Rule("GET", "/api/v1/recalls/plan", Right.ADMINISTER),
    Rule("GET", "/api/v1/recalls", Right.ADMINISTER),
    Rule("POST", "/api/v1/recalls", Right.ADMINISTER),
    Rule("GET", "/api/v1/recalls/{recall_id}", Right.ADMINISTER),
    Rule("GET", "/api/v1/recalls/{recall_id}/jobs", Right.ADMINISTER),
    Rule("POST", "/api/v1/recalls/{recall_id}/approve", Right.ADMINISTER),
    Rule("POST", "/api/v1/recalls/{recall_id}/withdraw", Right.ADMINISTER),
)


def find_rule(method: str, path: str) -> Rule | None:
    """The rule of a request; None: there is no such route, or nobody wrote its rule."""
    wanted = "GET" if method == "HEAD" else method
    return next((rule for rule in RULES if rule.method == wanted and rule.pattern.match(path)), None)


def path_parameters(rule: Rule, path: str) -> dict[str, str]:
    """The values in `path` by their names in the rule."""
    found = rule.pattern.match(path)
    return found.groupdict() if found else {}
