"""SLSA provenance of an application: from which source, lock and images it was built.

Source: https://slsa.dev/spec/v1.1/provenance
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.app.application import Identity
from pipeline.app.environment import Source
from pipeline.app.pair import Pair, PairImage
from pipeline.build.inputs import Build
from pipeline.evidence.provenance import PREDICATE, Run, run_details
from pipeline.statement import Predicate, digest_set

#: Described in docs/build-type.md of the source.
BUILD_TYPE = "docs/build-type.md#application"


def provenance_of_app(
    source: Source, identity: Identity, pair: Pair, parameters: Mapping[str, Sequence[str]], build: Build, run: Run
) -> Predicate:
    """Return the provenance of an application.

    Args:
        source: its source.
        identity: what it says about itself.
        pair: the images that it was made with.
        parameters: the words that decided about it besides, by their names.
        build: the settings of the build.
        run: the run that built it.
    """
    locked = hashlib.sha256(source.locked.encode()).hexdigest()
    definition = {
        "buildType": f"{build.settings.source}/-/blob/main/{BUILD_TYPE}",
        "externalParameters": {
            "application": source.project.name,
            "version": identity.metadata.version,
            "created": identity.metadata.created,
            "lock": source.lock.file,
            **{name: list(words) for name, words in parameters.items()},
        },
        "internalParameters": {"platform": run.platform},
        "resolvedDependencies": [
            {"name": "source", "uri": f"git+{identity.metadata.source}"},
            {"name": source.lock.file, "digest": {"sha256": locked}},
            _descriptor("builder", pair.builder),
            _descriptor("runtime", pair.runtime),
        ],
    }
    return Predicate(PREDICATE, {"buildDefinition": definition, "runDetails": run_details(build, run)})


def _descriptor(name: str, image: PairImage) -> dict[str, Any]:
    pinned = {"digest": digest_set(image.digest)} if image.digest else {}
    return {"name": name, "uri": image.reference, **pinned}
