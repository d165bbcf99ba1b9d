"""Parameters that several functions share, each declared once."""

from dataclasses import dataclass
from typing import Annotated

import dagger
from dagger import Doc

from pipeline.gates.scan.database import DatabaseOrder
from pipeline.module.grouping import Group
from pipeline.release.login import Login
from pipeline.signing.notation_signer import NotationSigner
from pipeline.signing.signature import Trusted
from pipeline.signing.signer import Signer
from pipeline.signing.trust_store import NotationTrust

StandIn = Annotated[bool, Doc("Accept images that are built on a stand-in base.")]


@dataclass(frozen=True)
class AccountFlags:
    """A user of a registry."""

    username: Annotated[str, Doc("User of the registry; by default there is no login.")] = ""
    password: Annotated[dagger.Secret | None, Doc("Password or token of that user, as in env://REGISTRY_PASSWORD.")] = (
        None
    )


@dataclass(frozen=True)
class ConnectionFlags:
    """How registries are reached."""

    ca: Annotated[
        dagger.File | None, Doc("Certificate in PEM of the private CA that signed the registry's certificate.")
    ] = None
    plain_http: Annotated[
        list[str] | None,
        Doc(
            "Host, with its port, to reach over plain HTTP; may be given again. Loopback addresses need no permission."
        ),
    ] = None
    token_host: Annotated[
        list[str] | None,
        Doc(
            "Host, with its port, that issues tokens for the registry and may receive the password; may be given again."
        ),
    ] = None

    def login(self, account: AccountFlags) -> Login:
        """Return a user's login over this connection."""
        hosts = tuple(self.plain_http or ()), tuple(self.token_host or ())
        return Login(account.username, account.password, self.ca, *hosts)


@dataclass(frozen=True)
class SignerFlags:
    """What signs the images: a key, a key in a KMS, or the identity of a GitLab job."""

    key: Annotated[dagger.Secret | None, Doc("Private key of cosign that signs, as in file://cosign.key.")] = None
    key_password: Annotated[dagger.Secret | None, Doc("Password of that key, as in env://COSIGN_PASSWORD.")] = None
    kms_key: Annotated[
        str, Doc("Key in a KMS that signs, in cosign's notation: awskms:///alias/NAME, hashivault://NAME …")
    ] = ""
    kms_environment: Annotated[
        dagger.Secret | None, Doc("Lines NAME=value with which cosign logs in to the KMS, as in file://vault.env.")
    ] = None
    identity_token: Annotated[
        dagger.Secret | None,
        Doc("Token of a GitLab job with the audience sigstore, to sign without a key, as in env://SIGSTORE_ID_TOKEN."),
    ] = None
    tlog: Annotated[
        bool, Doc("Enter the key's signatures into Sigstore's public log, which makes the images' names public.")
    ] = False

    @property
    def signer(self) -> Signer:
        """The signer that they name."""
        return Signer(self.key, self.key_password, self.kms_key, self.kms_environment, self.identity_token, self.tlog)


@dataclass(frozen=True)
class TrustedFlags:
    """Whose signatures count: those of a key, or of an identity."""

    key: Annotated[dagger.File | None, Doc("Public key whose signatures count, in PEM.")] = None
    identity: Annotated[str, Doc("Identity whose signatures count, as in its certificate: a CI file with its ref.")] = (
        ""
    )
    issuer: Annotated[str, Doc("Issuer that vouches for that identity, as in https://gitlab.com.")] = ""
    tlog: Annotated[bool, Doc("Accept signatures of the key only if they are in Sigstore's public log.")] = False

    @property
    def trusted(self) -> Trusted:
        """The key or identity that they name."""
        return Trusted(self.key, self.identity, self.issuer, self.tlog)


@dataclass(frozen=True)
class NotationSignerFlags:
    """What signs the images with notation: a key with its certificates, kept for long or issued for one job."""

    notation_key: Annotated[
        dagger.Secret | None, Doc("Private key in PEM that signs with notation as well, as in file://release.key.")
    ] = None
    notation_chain: Annotated[
        dagger.File | None, Doc("Certificates in PEM for that key: its own first, its issuers', and the root last.")
    ] = None
    timestamp_authority: Annotated[
        str, Doc("Address of a time stamp authority (RFC 3161), so that signatures outlive their certificates.")
    ] = ""
    timestamp_root: Annotated[dagger.File | None, Doc("Root certificate in PEM of that authority.")] = None

    @property
    def signer(self) -> NotationSigner:
        """The signer that they name."""
        return NotationSigner(self.notation_key, self.notation_chain, self.timestamp_authority, self.timestamp_root)


@dataclass(frozen=True)
class NotationTrustFlags:
    """Whose signatures with notation count."""

    notation_root: Annotated[
        dagger.File | None, Doc("Root certificate in PEM of the CA whose signatures with notation count.")
    ] = None
    notation_identity: Annotated[
        str, Doc("Subject that the signer's certificate has, as in 'C=AU, ST=WA, O=SKAO, CN=Releases'; * for any.")
    ] = ""
    timestamp_root: Annotated[
        dagger.File | None, Doc("Root certificate in PEM of the authority that stamped them; then each needs a stamp.")
    ] = None

    @property
    def trust(self) -> NotationTrust:
        """Whose signatures they name."""
        return NotationTrust(self.notation_root, self.notation_identity, self.timestamp_root)


@dataclass(frozen=True)
class DatabaseFlags:
    """Where the database of vulnerabilities comes from."""

    vulnerability_db: Annotated[
        str, Doc("Mirror of Trivy's database, as in registry.example/trivy-db:2; by default Trivy's own.")
    ] = ""
    vulnerability_db_directory: Annotated[
        dagger.Directory | None, Doc("Directory of trivy.db and metadata.json, used instead of pulling them.")
    ] = None

    @property
    def order(self) -> DatabaseOrder:
        """The database that they name."""
        return DatabaseOrder(self.vulnerability_db, self.vulnerability_db_directory)


Account = Annotated[AccountFlags, Group()]
SourceAccount = Annotated[AccountFlags, Group("from_")]
TargetAccount = Annotated[AccountFlags, Group("to_")]
Connection = Annotated[ConnectionFlags, Group()]
TrustedBy = Annotated[TrustedFlags, Group()]
SignedBy = Annotated[SignerFlags, Group()]
NotationSignedBy = Annotated[NotationSignerFlags, Group()]
NotationTrusted = Annotated[NotationTrustFlags, Group()]
NotationTrustedBefore = Annotated[NotationTrustFlags, Group("from_")]
Database = Annotated[DatabaseFlags, Group()]
