"""A founded city whose chain is silent: what commands do without anybody's help."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from ledger_node.cli import app
from ledger_node.core.types import Address, BlockHash, BlockNumber, CityId
from ledger_node.flows.deploying import Deployment
from ledger_node.founding import CityPlan, init_city, write_settings
from ledger_node.wiring import Runtime, open_runtime

PLAN = CityPlan(CityId("510107"), "成都市武侯区", "Wuhou", "wuhou", "http://127.0.0.1:9")
DEPLOYMENT = Deployment(
    chain_id=7107,
    genesis_hash=BlockHash(b"\x01" * 32),
    membership=Address(b"\x02" * 20),
    first_block=BlockNumber(1),
    contracts={},
    code_hashes={},
)
NUMBER = "510107199003070049"
FIELDS: dict[str, Any] = {
    "subjects": [{"scheme": "cn-resident-id", "number": NUMBER, "name": "何雨晴"}],
    "grade": "A",
    "number": "J510107-2020-000001",
    "issuer": {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
    "issued_on": "2020-05-20",
}


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """The one JSON object on standard output."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """Stable code of the error."""
        return str(self.result["error"]["code"])


@dataclass
class City:
    """A city's directory and a folder for files."""

    path: Path
    files: Path

    def run(self, *arguments: object, stdin: str | None = None) -> Outcome:
        """Run a command with `--json`; nothing may look like a traceback."""
        texts = [str(each) for each in arguments]
        outcome = run_command([*texts, "--json"], {"TONGBAN_NODE": str(self.path)}, stdin)
        assert "Traceback" not in outcome.out + outcome.err
        return outcome

    def file(self, name: str, content: object) -> Path:
        """A file with bytes, text, or anything else as JSON."""
        path = self.files / name
        if not isinstance(content, bytes | str):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def fields(self, **changes: Any) -> Path:
        """A fields file of `register`; a change to `...` leaves the member out."""
        made = {k: v for k, v in {**FIELDS, **changes}.items() if v is not ...}
        return self.file("fields.json", made)

    def register(self, *files: Path, fields: Path | None = None, type_code: str = "marriage-cert"):
        """Run `register`."""
        given = files or (self.file("paper.pdf", b"%PDF- a paper"),)
        return self.run(
            "register", *given, "--type", type_code, "--fields", fields or self.fields()
        )

    def look(self, see: Callable[[Runtime], Any]) -> Any:
        """Open the city and look."""
        runtime = open_runtime(self.path)
        try:
            return see(runtime)
        finally:
            runtime.close()

    def demand_empty(self) -> None:
        """Nothing is registered or queued for the log, and no document was taken."""

        def see(runtime: Runtime) -> tuple[int, int]:
            with runtime.node.database.read() as tx:
                return tx.intake.count_materials(), tx.log.count_pending()

        assert self.look(see) == (0, 0)
        assert not list((self.path / "documents").glob("*.seg"))


def run_command(
    arguments: list[str], env: dict[str, str] | None = None, stdin: str | None = None
) -> Outcome:
    result = CliRunner().invoke(app, arguments, env=env or {}, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="session")
def founded_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("city") / "wuhou"
    init_city(path, PLAN)
    write_settings(path, PLAN, "tongban.example", "http://127.0.0.1:9", DEPLOYMENT)
    open_runtime(path).close()
    return path


@pytest.fixture
def city(founded_city: Path, tmp_path: Path) -> Iterator[City]:
    shutil.copytree(founded_city, tmp_path / "wuhou")
    (tmp_path / "files").mkdir()
    yield City(tmp_path / "wuhou", tmp_path / "files")
    structlog.reset_defaults()
