"""The certificates folder of a region, read, checked, and followed."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from services.chassis.clock import Clock, utc_now
from services.chassis.topology import Topology
from services.router import certificate_files as files
from services.router.expiry import Expiry
from services.router.leaf import Certificates, Leaf

POLL_SECONDS = 0.5

State = frozenset[tuple[str, int, int]]

log = structlog.get_logger()


class CertificatesError(Exception):
    """The folder breaks a rule. The message names the file, and holds nothing of any key."""


class CertificateSource:
    """Reads the folder of one region, and says when it has changed."""

    def __init__(
        self,
        folder: Path,
        topology: Topology,
        region: str,
        services: Sequence[str],
        clock: Clock = utc_now,
    ) -> None:
        self._folder = folder
        self._jurisdictions = sorted(topology.jurisdictions)
        self._region = topology.regions[region]
        self._required = files.required(services)
        self._clock = clock
        self._expiry = Expiry(clock)
        self._in_force: State = frozenset()

    def load(self) -> Certificates:
        """Returns what is there, every leaf checked.

        A leaf without which the region runs, such as one of a service that is gone, is left out
        with a warning if it breaks a rule.

        Raises:
            CertificatesError: in one line, which file is wrong, and how.
        """
        state = self._state()
        found, left_out = self._read()
        _warn(left_out)
        self._expiry.follow(found.leaves)
        self._in_force = state
        return found

    async def run(self, on_change: Callable[[Certificates], object]) -> None:
        """Calls ``on_change`` after each change of the folder since `load`, until cancelled.

        A folder that breaks a rule changes nothing, but for leaves that `load` leaves out. It may
        only be half written: what is wrong counts, and is warned of, when the folder is still the
        same at the next look, and once. Leaves that nobody renews are warned of too (`expiry`).
        """
        suspect = refused = self._in_force
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._expiry.look()
            state = self._state()
            if state in (self._in_force, refused):
                continue
            try:
                found, left_out = await asyncio.to_thread(self._read)
            except CertificatesError as error:
                if state == suspect:
                    log.warning("certificates_refused", problem=str(error))
                    refused = state
                suspect = state
            else:
                if left_out and state != suspect:
                    suspect = state
                    continue
                _warn(left_out)
                self._expiry.follow(found.leaves)
                self._in_force = suspect = refused = state
                log.info("certificates_changed", leaves=len(found.leaves))
                on_change(found)

    def _read(self) -> tuple[Certificates, list[str]]:
        """Returns what is good, and what is wrong with the leaves that were left out."""
        bundles = {name: _bytes(files.bundle(self._folder, name)) for name in self._jurisdictions}
        authorities = {
            name: _certificates(pem, files.bundle(self._folder, name))
            for name, pem in bundles.items()
        }
        own = Store(authorities[self._region.jurisdiction])
        leaves: dict[str, Leaf] = {}
        left_out = []
        for name in self._names():
            try:
                identity, leaf = self._leaf(name, own)
            except CertificatesError as error:
                if name in self._required:
                    raise
                left_out.append(str(error))
            else:
                leaves[identity] = leaf
        return Certificates(leaves, bundles), left_out

    def _leaf(self, name: str, own: Store) -> tuple[str, Leaf]:
        chain = files.chain(self._folder, name)
        try:
            identity = files.identity(name, self._region)
        except ValueError as error:
            raise CertificatesError(f"{chain}: {error}") from None
        leaf = Leaf(_bytes(chain), _bytes(files.key(self._folder, name)))
        _check_leaf(leaf, identity, own, self._clock(), chain)
        return identity, leaf

    def _names(self) -> list[str]:
        there = {path.stem for path in self._folder.glob("*.pem")}
        return sorted(there.union(self._required))

    def _state(self) -> State:
        """Name, inode and time of change of each file: another as soon as one is replaced."""
        found = set()
        for path in (*self._folder.glob("*.pem"), *self._folder.glob("*/*.pem")):
            for one in (path, path.with_suffix(".key")):
                try:
                    stat = one.stat()
                except OSError:
                    continue  # A bundle has no key; and what is gone just now is seen next time.
                found.add((one.name, stat.st_ino, stat.st_mtime_ns))
        return frozenset(found)


def _warn(left_out: Sequence[str]) -> None:
    for problem in left_out:
        log.warning("certificate_left_out", problem=problem)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificatesError(f"{path}: {error.strerror}") from None


def _certificates(pem: bytes, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise CertificatesError(f"{path}: not a certificate in PEM") from None


def _check_leaf(leaf: Leaf, identity: str, own: Store, now: dt.datetime, path: Path) -> None:
    first, *rest = _certificates(leaf.chain, path)
    if _uris(first) != [identity]:
        raise CertificatesError(f"{path}: is not of {identity}")
    if not _fits(first, leaf.key):
        raise CertificatesError(f"{path}: {path.stem}.key is not its key")
    if not first.not_valid_before_utc <= now < first.not_valid_after_utc:
        until = first.not_valid_after_utc.isoformat()
        raise CertificatesError(f"{path}: expired, or not yet good; good until {until}")
    verifier = PolicyBuilder().store(own).time(now).build_client_verifier()
    try:
        verifier.verify(first, rest)
    except VerificationError:
        raise CertificatesError(
            f"{path}: not signed by an authority in the bundle of this jurisdiction"
        ) from None


def _uris(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return found.value.get_values_for_type(x509.UniformResourceIdentifier)


def _fits(certificate: x509.Certificate, key: bytes) -> bool:
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return private.public_key() == certificate.public_key()
