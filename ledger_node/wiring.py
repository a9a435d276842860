"""The one place that builds edges and puts a node together.

Opening a data directory reads settings and opens stores; it neither contacts the chain nor writes
to the log. The command line and the demonstration open the same directories as the running node;
they meet in the database.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.config import (
    CaseSystemSettings,
    ChainSettings,
    Settings,
    SettingsError,
    load_settings,
)
from ledger_node.core.anchor import FinalityKind, FinalityPolicy
from ledger_node.core.case import read_state_map
from ledger_node.core.catalogue_format import compute_catalogue_pin
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import Address, BlockHash, BlockNumber, CityId
from ledger_node.document_stores import open_documents
from ledger_node.edges.audit import AuditDirectory, DirectoryLogFiles
from ledger_node.edges.case_systems import FileCaseFolders, HttpCaseSystems
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.edges.chain.endpoints import EndpointsChain, FinalBlock
from ledger_node.edges.clock import ChainClock, SystemClock, system_entropy
from ledger_node.edges.database.migrate import migrate
from ledger_node.edges.database.transaction import SqlDatabase, open_database
from ledger_node.edges.documents.age_sealer import AgeSealer
from ledger_node.edges.identity import HttpIdentityProviders
from ledger_node.edges.keys.city_keys import CityKeysFile
from ledger_node.edges.keys.key_store import KeyStoreFile
from ledger_node.edges.keys.officer_keys import OfficerKeyFiles
from ledger_node.edges.keys.secret_files import read_private, read_secret, write_secret
from ledger_node.edges.keys.wrapping import JoinedWrappingKeys, WrappingKeyFiles
from ledger_node.edges.peers import HttpLogFiles, HttpPeers, MirrorLogFiles
from ledger_node.edges.rendering import CappedInspector, CappedRenderer
from ledger_node.edges.tiles import MirrorDirectories, TileDirectory
from ledger_node.edges.uploads import UploadFolder
from ledger_node.flows.directory import FollowedDirectory
from ledger_node.flows.intake import IntakeQueue
from ledger_node.flows.node import Limits, Node
from ledger_node.identifiers import is_minor, normalise_identifier
from ledger_node.ports.case_systems import CaseSystem, CaseSystems
from ledger_node.ports.chain import Chain, ChainIdentity, ChainProfile
from ledger_node.ports.identity import Audience, IdentityProviders, Provider
from ledger_node.ports.inspecting import DocumentInspector
from ledger_node.ports.rendering import Renderer
from ledger_node.ports.tiles import TileNotFoundError, TileStore
from ledger_node.seed import load_catalogue

GENERATION = 1
CLOCK_KEPT_S = 0.2
AUDITOR_KEY = "auditor-key"
FONT = Path(__file__).parents[1] / "api" / "pages" / "static" / "vendor" / "noto-sans-sc.ttf"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A node with what only a running process needs.

    Attributes:
        settings: As read at start.
        node: What flows receive.
        directory: Members as the followed chain says.
        queue: Group commit of this process's registrations.
        clock: The node's clock; stopping it ends every loop.
        identity: Identity providers of the settings.
        case_systems: Case systems of the settings.
        renderer: Draws pages of documents, in processes of its own.
        inspector: Looks at files before they are stored, in processes of its own.
    """

    settings: Settings
    node: Node
    directory: FollowedDirectory
    queue: IntakeQueue
    clock: SystemClock
    identity: IdentityProviders
    case_systems: CaseSystems
    renderer: Renderer
    inspector: DocumentInspector

    def registered_url(self) -> str:
        """This node's own address as `Membership` holds it; never taken from a request."""
        return self.directory.url_of(self.node.city)

    @property
    def uploads(self) -> UploadFolder:
        """Where documents wait for their material."""
        return UploadFolder(
            uploads_path(self.settings.data_dir), lambda: self.clock.now().timestamp()
        )

    @property
    def case_folders(self) -> FileCaseFolders:
        """Watched folders of case systems without an interface."""
        return FileCaseFolders(self.node.entropy)

    def open_tiles(self, generation: int) -> TileStore:
        """Files of one generation of the log.

        Raises:
            TileNotFoundError: There is no such generation here.
        """
        if generation == self.node.generation:
            return self.node.tiles
        path = tiles_path(self.settings.data_dir, generation)
        if not path.is_dir():  # a stranger's question makes no directory
            raise TileNotFoundError(f"{generation}/")
        return TileDirectory(path)

    def close(self) -> None:
        """Release what is open; nothing is lost without it."""
        self.clock.request_stop()
        node = self.node
        self.identity.close()
        self.case_systems.close()
        for edge in (node.database, node.chain, node.peers, node.documents, node.key_store):
            close = getattr(edge, "close", None)
            if close is not None:
                close()


def keys_path(data_dir: Path) -> Path:
    """The city's own keys."""
    return data_dir / "keys"


def tiles_path(data_dir: Path, generation: int) -> Path:
    """Files of one generation of the log."""
    return data_dir / "log" / str(generation)


def mirrors_path(data_dir: Path) -> Path:
    """Files of the other cities' logs."""
    return data_dir / "mirrors"


def uploads_path(data_dir: Path) -> Path:
    """Documents on their way in, an hour at most; left out of backups."""
    return data_dir / "uploads"


def officers_path(data_dir: Path) -> Path:
    """Officers' keys, where this machine is also an officer's."""
    return data_dir / "officers"


def open_officer_keys(data_dir: Path) -> OfficerKeyFiles:
    """Officers' keys on this machine."""
    return OfficerKeyFiles(officers_path(data_dir))


def build_profile(chain: ChainSettings) -> ChainProfile:
    """What pins the chain, from settings."""
    finality = FinalityPolicy(FinalityKind(chain.finality.kind), chain.finality.depth_blocks)
    return ChainProfile(
        chain_id=chain.chain_id,
        genesis_hash=BlockHash(bytes.fromhex(chain.genesis_hash)),
        membership=Address(bytes.fromhex(chain.membership)),
        first_block=BlockNumber(chain.first_block),
        finality=finality,
        gas_price_wei=chain.gas_price_wei,
        log_range_blocks=chain.log_range_blocks,
    )


def build_clock(chain: EvmChain, follow_chain: bool, stop: threading.Event) -> SystemClock:
    """The machine's clock, or one that follows a local chain whose clock is moved by tests."""
    if not follow_chain:
        return SystemClock(stop)
    system = SystemClock(stop)
    seen: list[tuple[float, float]] = []

    def offset_s() -> float:
        now_s = system.monotonic_s()
        if not seen or now_s - seen[-1][0] > CLOCK_KEPT_S:
            ahead_s = chain.fetch_present_s() - system.now().timestamp()
            seen[:] = [(now_s, max(0.0, ahead_s))]
        return seen[-1][1]

    return ChainClock(offset_s, stop)


def open_runtime(data_dir: Path, *, migrated: bool = False) -> Runtime:
    """Open a city's data directory.

    Args:
        migrated: The caller knows that the schema is current.

    Raises:
        SettingsError: `node.toml` is missing or wrong.
        InsecureKeyFileError, KeyStoreUnavailableError, DatabaseUnavailableError,
        DocumentStoreUnavailableError, TileStoreUnavailableError: A store cannot be opened.
    """
    settings = load_settings(data_dir)
    if not migrated:
        migrate(settings.database)
    first = _open_endpoint(settings.chain, settings.chain.rpc_url)
    clock = build_clock(first, settings.chain.follow_chain_clock, threading.Event())
    database: SqlDatabase = open_database(settings.database)
    chain = _build_chain(settings.chain, first, database, clock)
    directory = FollowedDirectory(database)
    keys = CityKeysFile(keys_path(data_dir), settings.govern_dir)
    city = CityId(settings.city)

    def journal(to: CityId, kind: str, digest: bytes) -> None:
        with database.transaction() as tx:
            tx.messages.log_message("sent", to, kind, digest, clock.now())

    peers = HttpPeers(city, directory, keys, clock, system_entropy, journal)
    node = _build_node(settings, chain, clock, database, keys, peers)
    identity = HttpIdentityProviders(list_providers(settings), clock)
    systems = HttpCaseSystems(city, list_case_systems(settings), keys, clock, system_entropy)
    return Runtime(
        settings,
        node,
        directory,
        IntakeQueue(node),
        clock,
        identity,
        systems,
        CappedRenderer(FONT),
        CappedInspector(),
    )


def _open_endpoint(chain: ChainSettings, url: str) -> EvmChain:
    return EvmChain(url, chain.chain_id, chain.timeout_s)


def _build_chain(
    settings: ChainSettings, first: EvmChain, database: SqlDatabase, clock: SystemClock
) -> Chain:
    """The first endpoint, or all of them behind one port."""
    if not settings.more_rpc_urls:
        return first

    def load_final() -> FinalBlock | None:
        with database.read() as tx:
            tip = tx.chain.load_tip()
            block = None if tip is None else tx.chain.find_block(tip.final_number)
        return None if block is None else (block.number, block.hash)

    pinned = ChainIdentity(settings.chain_id, BlockHash(bytes.fromhex(settings.genesis_hash)))
    others = [_open_endpoint(settings, url) for url in settings.more_rpc_urls]
    return EndpointsChain([first, *others], pinned, load_final, clock.monotonic_s)


def _build_node(
    settings: Settings,
    chain: Chain,
    clock: SystemClock,
    database: SqlDatabase,
    keys: CityKeysFile,
    peers: HttpPeers,
) -> Node:
    data_dir, catalogue = settings.data_dir, load_catalogue()
    return Node(
        domain=settings.consortium,
        city=CityId(settings.city),
        generation=GENERATION,
        material_types=frozenset(catalogue.types),
        sensitive_types=catalogue.sensitive_types,
        catalogue_pin=compute_catalogue_pin(catalogue),
        normalise_identifier=normalise_identifier,
        is_minor=is_minor,
        clock=clock,
        entropy=system_entropy,
        database=database,
        documents=open_documents(settings),
        sealer=AgeSealer(),
        key_store=open_key_store(settings),
        keys=keys,
        tiles=TileDirectory(tiles_path(data_dir, GENERATION)),
        mirrors=MirrorDirectories(mirrors_path(data_dir)),
        chain=chain,
        contracts=ContractCalls(chain),
        profile=build_profile(settings.chain),
        peers=peers,
        limits=Limits(
            settings.finds_per_city_per_day,
            settings.finds_per_officer_per_day,
            settings.releases_per_city_per_day,
        ),
    )


def open_key_store(settings: Settings) -> KeyStoreFile:
    """The key store, its wrapping keys in files or in a token.

    With a token, keys of epochs that began in files stand there until the next change of epoch.

    Raises:
        InsecureKeyFileError, KeyMissingError, KeyStoreUnavailableError: It cannot be opened.
    """
    directory, keys = settings.data_dir / "keystore", settings.keys
    if keys.wrapping == "file" or keys.pkcs11_module is None:
        return KeyStoreFile(directory, system_entropy)
    from ledger_node.edges.keys.pkcs11_wrapping import WrappingKeysToken  # loads a native library

    token = WrappingKeysToken(
        keys.pkcs11_module,
        keys.pkcs11_token,
        settings.city,
        lambda: _read_secret(settings.data_dir, keys.pkcs11_pin_file),
    )
    joined = JoinedWrappingKeys(token, WrappingKeyFiles(directory / "wrapping"))
    return KeyStoreFile(directory, system_entropy, joined)


def list_case_systems(settings: Settings) -> list[CaseSystem]:
    """Case systems of the settings, their state maps read.

    Raises:
        SettingsError: A state map is missing or not one.
    """
    return [_read_case_system(settings.data_dir, each) for each in settings.case_systems]


def _read_case_system(data_dir: Path, each: CaseSystemSettings) -> CaseSystem:
    try:
        states = read_state_map(json.loads((data_dir / each.states_file).read_bytes()))
    except (OSError, ValueError, MalformedInputError) as error:
        raise SettingsError(
            f"对接系统 {each.id} 的状态对照表缺失或有误。",
            f"The state map of the case system {each.id} is missing or wrong.",
        ) from error
    return CaseSystem(
        each.id,
        each.name,
        replace(states, system=each.id),
        each.callback_origin,
        each.callback_path,
        each.page_origin,
        each.folder,
    )


def list_providers(settings: Settings) -> list[Provider]:
    """Identity providers of the settings, their secrets read from files for this user only.

    Raises:
        InsecureKeyFileError: Others on this machine could read a secret.
        KeyMissingError: A secret file is missing.
    """
    return [
        Provider(
            name=each.name,
            title_zh=each.title_zh,
            title_en=each.title_en,
            issuer=each.issuer,
            client_id=each.client_id,
            client_secret=_read_secret(settings.data_dir, each.client_secret_file),
            city=CityId(each.city),
            audience=Audience(each.audience),
            scheme_claim=each.scheme_claim,
            number_claim=each.number_claim,
            name_claim=each.name_claim,
        )
        for each in settings.identity_providers
    ]


def _read_secret(data_dir: Path, name: str) -> str:
    return read_private(keys_path(data_dir) / name).decode("utf-8").strip() if name else ""


@contextmanager
def open_chain(rpc_url: str, chain_id: int) -> Iterator[tuple[EvmChain, ContractCalls]]:
    """A chain and its contracts for an auditor, who has no node."""
    chain = EvmChain(rpc_url, chain_id)
    try:
        yield chain, ContractCalls(chain)
    finally:
        chain.close()


@contextmanager
def open_log_files(url_of: Callable[[CityId], str]) -> Iterator[HttpLogFiles]:
    """Public files of the members' logs, at the addresses that `url_of` returns."""
    logs = HttpLogFiles(url_of)
    try:
        yield logs
    finally:
        logs.close()


@contextmanager
def open_mirrored_files(source: str, domain: str) -> Iterator[MirrorLogFiles | DirectoryLogFiles]:
    """All logs from one mirror: a directory, or a URL as `https://<node>/mirror`."""
    if not source.startswith(("http://", "https://")):
        yield DirectoryLogFiles(Path(source), domain)
        return
    logs = MirrorLogFiles(source, domain)
    try:
        yield logs
    finally:
        logs.close()


def open_audit_folder(path: Path) -> AuditDirectory:
    """An auditor's own folder."""
    return AuditDirectory(path)


def create_auditor_key(path: Path) -> bytes:
    """Make a new auditor's key; returns the public key, 32 bytes.

    Raises:
        FileExistsError: Something is there; it is left as it is.
    """
    secret = system_entropy(32)
    write_secret(path, AUDITOR_KEY, secret)
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def open_auditor_key(path: Path) -> tuple[bytes, Callable[[bytes], bytes]]:
    """The auditor's public key, and what signs with it.

    Raises:
        KeyMissingError, InsecureKeyFileError, KeyStoreUnavailableError: See `read_secret`.
    """
    key = Ed25519PrivateKey.from_private_bytes(read_secret(path, AUDITOR_KEY))
    return key.public_key().public_bytes_raw(), key.sign


def configure_logging(*, json_lines: bool) -> None:
    """Structured log lines on standard error; never document content, keys or personal data."""
    renderer = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the id of the request at work
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(_standard_error()),
    )


def _standard_error() -> TextIO:
    return sys.stderr
