"""Wrapping keys inside a hardware module, by PKCS#11 (decision 0016).

Every epoch's key is an AES-256 key made inside the token, sensitive and not extractable; wrapping
is AES-GCM done by the token, with nonces from the caller, so that rows look as they do with files
(docs/spec/keystore.md). Destroying the object is destroying the key: no file system keeps it.

A session is used by one thread at a time. Modules answer damaged ciphertext and a broken device
alike with a general error, so after a failed decryption a value of our own decides which it was.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pkcs11
from cryptography.exceptions import InvalidTag
from pkcs11.exceptions import (
    KeyHandleInvalid,
    ObjectHandleInvalid,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from ledger_node.edges.keys.wrapping import Cipher
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import KeyMissingError, KeyStoreUnavailableError

_KEY_BITS: Final = 256
_TAG_BITS: Final = 128
_PROBE_NONCE: Final = bytes(12)
_PROBE_DATA: Final = b"tongban/probe/v1"
_TEMPLATE: Final = {
    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
    pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
}


class WrappingKeysToken:
    """`WrappingKeys` in one token; safe to share between threads."""

    def __init__(
        self, module: Path, token_label: str, owner: str, load_pin: Callable[[], str]
    ) -> None:
        """Nothing is asked of the module yet.

        Args:
            module: The module's shared library.
            token_label: Label of the token.
            owner: Whose keys: several cities' keys may stand in one token.
            load_pin: Reads the user's PIN; called for every log-in.
        """
        self._module, self._token_label, self._load_pin = module, token_label, load_pin
        self._prefix = f"tongban/{owner}/wrapping/"
        self._name = re.compile(re.escape(self._prefix) + "([1-9][0-9]{0,8})")
        self._lock = threading.RLock()
        self._session: Any = None

    def epochs(self) -> list[int]:
        """Epochs whose key is in the token, ascending."""
        with self.using() as session:
            labels = [key.label for key in session.get_objects(_TEMPLATE)]
        return sorted(
            int(match.group(1)) for label in labels if (match := self._name.fullmatch(label or ""))
        )

    def create(self, epoch: int, entropy: Entropy) -> None:
        """Have the token make an epoch's key; one that is there already is kept."""
        del entropy  # the token's own generator, or the key would have been outside
        with self.using() as session:
            if self._find(session, epoch) is None:
                session.generate_key(
                    pkcs11.KeyType.AES,
                    _KEY_BITS,
                    label=self._label(epoch),
                    store=True,
                    template={
                        pkcs11.Attribute.PRIVATE: True,
                        pkcs11.Attribute.SENSITIVE: True,
                        pkcs11.Attribute.EXTRACTABLE: False,
                        pkcs11.Attribute.ENCRYPT: True,
                        pkcs11.Attribute.DECRYPT: True,
                    },
                )

    def load(self, epoch: int) -> Cipher:
        """The cipher of an epoch.

        Raises:
            KeyMissingError: The token has no key of it.
        """
        return _TokenCipher(self, epoch)

    def destroy(self, epoch: int) -> None:
        """Have the token destroy an epoch's key; idempotent."""
        with self.using() as session:
            key = self._find(session, epoch)
            if key is not None:
                key.destroy()

    def close(self) -> None:
        """End the session."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                with _our_errors():
                    session.close()

    def find(self, session: Any, epoch: int) -> Any:
        """The key object of an epoch in a session.

        Raises:
            KeyMissingError: The token has none.
        """
        key = self._find(session, epoch)
        if key is None:
            raise KeyMissingError(self._label(epoch))
        return key

    @contextmanager
    def using(self) -> Iterator[Any]:
        """The session, for one thread; a failure ends it, and the next use logs in again."""
        with self._lock:
            try:
                with _our_errors():
                    if self._session is None:
                        self._session = self._log_in()
                    yield self._session
            except KeyStoreUnavailableError:
                self._session = None
                raise

    def _log_in(self) -> Any:
        token = pkcs11.lib(str(self._module)).get_token(token_label=self._token_label)
        try:
            return token.open(rw=True, user_pin=self._load_pin())
        except UserAlreadyLoggedIn:  # this process is, in another session
            return token.open(rw=True)

    def _find(self, session: Any, epoch: int) -> Any:
        label = {**_TEMPLATE, pkcs11.Attribute.LABEL: self._label(epoch)}
        return next(iter(list(session.get_objects(label))), None)

    def _label(self, epoch: int) -> str:
        return f"{self._prefix}{epoch}"


class _TokenCipher:
    """`Cipher` of one epoch's key; the key is looked up again in every new session."""

    def __init__(self, owner: WrappingKeysToken, epoch: int) -> None:
        self._owner, self._epoch = owner, epoch
        self._session: Any = None
        self._key: Any = None
        self._probe = self.encrypt(_PROBE_NONCE, _PROBE_DATA, None)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        with self._using_key() as key:
            return bytes(key.encrypt(data, **_mechanism(nonce, associated_data)))

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Raises InvalidTag for a ciphertext that was changed, as `AESGCM` does."""
        with self._using_key() as key:
            try:
                return bytes(key.decrypt(data, **_mechanism(nonce, associated_data)))
            except (KeyHandleInvalid, ObjectHandleInvalid):
                raise
            except PKCS11Error as error:
                key.decrypt(self._probe, **_mechanism(_PROBE_NONCE, None))  # or the device is ill
                raise InvalidTag from error

    @contextmanager
    def _using_key(self) -> Iterator[Any]:
        with self._owner.using() as session:
            if self._session is not session:
                self._key, self._session = self._owner.find(session, self._epoch), session
            try:
                yield self._key
            except (KeyHandleInvalid, ObjectHandleInvalid) as error:
                self._session = None
                raise KeyMissingError(f"epoch {self._epoch}") from error


def _mechanism(nonce: bytes, associated_data: bytes | None) -> dict[str, Any]:
    parameters = pkcs11.GCMParams(nonce, associated_data, _TAG_BITS)
    return {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": parameters}


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except PKCS11Error as error:
        reason = f"PKCS#11: {type(error).__name__}"
        raise KeyStoreUnavailableError(reason) from error
