"""What the chapters of the story share: settings, people signed in, and what earlier chapters made."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.people import OPERATOR, PEOPLE, Secrets
from demo.services import VENV
from demo.session import Session, said
from demo.show import StepFailedError
from enclave.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent
SEE_LOGS = "process/ 폴더의 기록을 보세요. `make down` 뒤 `make demo`로 다시 시작할 수 있습니다."


@dataclass
class World:
    """The running enclave as the story sees it; chapters fill in what later ones need."""

    settings: Settings
    secrets: Secrets
    sessions: dict[str, Session] = field(default_factory=dict)
    snapshots: dict[str, str] = field(default_factory=dict)
    project_id: str = ""
    workspace_s: float = 0.0
    requests: dict[str, str] = field(default_factory=dict)
    release_id: str = ""

    @classmethod
    def of(cls, settings: Settings) -> World:
        """Return the world of this installation, nobody signed in."""
        return cls(settings, Secrets(settings.home / "demo" / "secrets.json"))

    def session(self, login: str) -> Session:
        """Return this person's signed-in session; signs in at first use."""
        if login not in self.sessions:
            person = next(each for each in (OPERATOR, *PEOPLE) if each.login == login)
            made = Session(person, self.settings.public_url, lambda: self.secrets.code(login))
            made.sign_in()
            self.sessions[login] = made
        return self.sessions[login]

    def close(self) -> None:
        """Close everybody's connections; what runs goes on."""
        for session in self.sessions.values():
            session.http.close()

    def ask(self, login: str, method: str, path: str, body: Any = None) -> Any:
        """Call the portal's REST interface as this person; returns the JSON. Raises: StepFailedError."""
        answer = self.session(login).api(method, path, body)
        if answer.is_error:
            raise StepFailedError(f"{login} {method} {path}: {said(answer)}", SEE_LOGS)
        return answer.json()

    def as_portal(self) -> str:
        """Run `python -m demo.seed` as the portal's user; returns what it printed. Raises: StepFailedError."""
        user, database = self.settings.app_user, self.settings.database_group
        done = subprocess.run(
            [str(VENV / "bin/python"), "-m", "demo.seed"],
            check=False, capture_output=True, text=True, user=user, group=user, extra_groups=[database], umask=0o007,
            env={"ANSIM_HOME": str(self.settings.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            cwd=self.settings.db,
        )  # fmt: skip
        if done.returncode:
            raise StepFailedError((done.stderr or done.stdout).strip()[-600:], SEE_LOGS)
        return done.stdout

    def make_people(self) -> list[str]:
        """Make the accounts that are missing and keep their second factors; returns the new logins."""
        made: dict[str, str] = json.loads(self.as_portal())
        for login, secret in made.items():
            self.secrets.keep(login, secret)
        return list(made)
