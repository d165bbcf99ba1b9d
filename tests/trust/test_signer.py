"""Who signs: what is refused, and the commands that cannot be run here: those for a KMS, and those without a key."""

from dataclasses import replace

import dagger
import pytest
from dagger import dag
from embedded_engine.session import Session

from pipeline.build.inputs import Build
from pipeline.errors import SettingsError, SigningError
from pipeline.registry.registry import Registry
from pipeline.signing.cosign import COSIGN, Cosign
from pipeline.signing.sign import open_signing
from pipeline.signing.signer import Signer, parse_signer
from tests.trust.signing import KeyPair

KMS = "awskms:///alias/release"
#: What makes cosign 3 write the form that every reader knows.
OLDER = ("--use-signing-config=false", "--new-bundle-format=false")


@pytest.fixture
def secret(engine: Session) -> dagger.Secret:
    """Any secret."""
    return dag.set_secret("any", "TOKEN=with=equals signs\n\n# a remark\nOTHER=2\n")


def test_nobody_signs_without_a_word() -> None:
    assert parse_signer(Signer()) is None


def test_a_signer_is_one(secret: dagger.Secret) -> None:
    for two in (Signer(key=secret, kms=KMS), Signer(kms=KMS, identity_token=secret)):
        with pytest.raises(
            SettingsError, match="Images have one signer; give only one of --key, --kms-key and --identity-token"
        ):
            parse_signer(two)


def test_what_belongs_to_nobody_is_refused(secret: dagger.Secret) -> None:
    for stray, sentence in (
        (Signer(password=secret), "--key-password belongs to --key;"),
        (Signer(kms=KMS, password=secret), "--key-password belongs to --key;"),
        (Signer(key=secret, environment=secret), "--kms-environment belongs to --kms-key;"),
        (Signer(tlog=True), "--tlog belongs to --key or --kms-key;"),
        (Signer(identity_token=secret, tlog=True), "--tlog belongs to --key or --kms-key;"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            parse_signer(stray)


@pytest.mark.parametrize("kms", ["cosign.key", "https://kms.example", "awskms://", "hashivault://a b", "env://KEY"])
def test_a_key_in_no_kms_is_refused(kms: str) -> None:
    with pytest.raises(SettingsError, match=r"is not in a KMS that cosign knows; write awskms:///alias/NAME"):
        parse_signer(Signer(kms=kms))


def test_a_key_of_a_kms_is_named_to_cosign_as_it_is() -> None:
    assert Signer(kms=KMS).arguments == ("--yes", "--key", KMS, *OLDER, "--tlog-upload=false")


def test_the_log_is_for_whoever_asks_for_it(secret: dagger.Secret) -> None:
    assert Signer(key=secret, tlog=True).arguments[-1] == "--tlog-upload=true"


def test_who_has_no_key_is_always_in_the_log(secret: dagger.Secret) -> None:
    # The command that a GitLab job runs: Fulcio and Rekor are not to be had here.
    signer = Signer(identity_token=secret)
    command = Cosign(dag.container(), plain_http=False).command("sign", *signer.arguments, "host/image@sha256:…")
    assert command == [COSIGN, "sign", "--yes", *OLDER, "--tlog-upload=true", "host/image@sha256:…"]


async def test_the_token_of_a_job_is_where_cosign_looks_for_it(workbench: Build, secret: dagger.Secret) -> None:
    equipped = await Signer(identity_token=secret).equip(workbench.workbench.container)
    script = 'test "$SIGSTORE_ID_TOKEN" && echo "${#SIGSTORE_ID_TOKEN}"'
    assert await equipped.with_exec(["sh", "-euc", script]).stdout() == f"{len(await secret.plaintext())}\n"


async def test_what_logs_in_to_a_kms_is_in_the_environment(workbench: Build, secret: dagger.Secret) -> None:
    equipped = await Signer(kms=KMS, environment=secret).equip(workbench.workbench.container)
    script = 'test "$TOKEN" = "with=equals signs" && echo "${#OTHER}"'
    assert await equipped.with_exec(["sh", "-euc", script]).stdout() == "1\n"


async def test_a_line_that_is_none_of_an_environment_is_refused_and_not_shown(workbench: Build) -> None:
    lines = dag.set_secret("lines", "TOKEN=1\nswordfish\n")
    with pytest.raises(SettingsError, match="is not of the form NAME=value") as caught:
        await Signer(kms=KMS, environment=lines).equip(workbench.workbench.container)
    assert "swordfish" not in str(caught.value)


async def test_a_wrong_password_is_known_before_anything_is_signed(
    workbench: Build, registry: Registry, keys: KeyPair
) -> None:
    wrong = replace(keys.signer, password=dag.set_secret("wrong", "wrong"))
    with pytest.raises(SigningError, match=r"cannot be used \(.*decryption failed\); check --key and --key-password"):
        await open_signing(workbench, registry, wrong)


async def test_a_password_may_end_with_a_line_break(workbench: Build, registry: Registry, keys: KeyPair) -> None:
    signer = keys.signer
    assert signer.password
    password = dag.set_secret("with a line break", f"{await signer.password.plaintext()}\n")
    signing = await open_signing(workbench, registry, replace(signer, password=password))
    assert signing.public_key == keys.public.read_text()


async def test_a_kms_that_does_not_answer_is_said(workbench: Build, registry: Registry) -> None:
    signer = Signer(kms="hashivault://release", environment=dag.set_secret("vault", "VAULT_ADDR=http://127.0.0.1:9\n"))
    with pytest.raises(SigningError, match=r"cannot be used \(.*\); check --kms-key and --kms-environment"):
        await open_signing(workbench, registry, signer)
