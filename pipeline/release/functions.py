"""The module's functions that have to do with registries; like all of them they hold no logic."""

from typing import Annotated, Any

import dagger
from dagger import Doc

from pipeline.fresh import fresh
from pipeline.release.login import Login
from pipeline.release.publish import Order, publish

Username = Annotated[str, Doc("Who logs in to the registry; by default nobody.")]
Password = Annotated[dagger.Secret | None, Doc("Password or token of that user, as in env://REGISTRY_PASSWORD.")]
Ca = Annotated[dagger.File | None, Doc("Certificate in PEM of a private CA that signed the registry's.")]
PlainHttp = Annotated[
    list[str] | None,
    Doc("Host, with its port, that may be spoken to without TLS; may be given again. This machine needs no word."),
]


class ReleaseFunctions:
    """A part of the module's main object."""

    base_archive: dagger.File | None

    def _given(self) -> dict[str, Any]:
        """Return the settings that were given as arguments of the constructor."""
        raise NotImplementedError

    @fresh
    async def publish(
        self,
        tag: Annotated[str, Doc("Version to publish, as in 1.2.3 or v1.2.3; it is set once and never moves.")],
        extra_tags: Annotated[
            list[str] | None,
            Doc("Tags beside it that do move: 1.2, 1, the day as 20260131, the commit, latest, or another name."),
        ] = None,
        to: Annotated[str, Doc("Registry to push to instead, as for staging; the images keep naming `registry`.")] = "",
        username: Username = "",
        password: Password = None,
        ca: Ca = None,
        plain_http: PlainHttp = None,
        dry_run: Annotated[bool, Doc("Build, check and look at the registry, and push nothing.")] = False,
        allow_stand_in_base: Annotated[bool, Doc("Publish images that are built on a stand-in base.")] = False,
    ) -> str:
        """Build and check all images, and publish all of them or none.

        Returns JSON: the reference of each image, NAME:TAG@sha256:…, as it was read back from the registry.
        Blobs and manifests are pushed first, under no tag; the tags are set last, together. What has been
        published under a version stays: the same content again changes nothing, another content is refused.
        """
        order = Order(tag, tuple(extra_tags or ()), to, dry_run, allow_stand_in_base)
        login = Login(username, password, ca, tuple(plain_http or ()))
        return await publish(order, self._given(), self.base_archive, login)
