"""All that is stated of the images of a release: their provenance, and what their gates found.

Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

from collections.abc import Mapping, Sequence

from pipeline.build.inputs import Build
from pipeline.evidence.provenance import PREDICATE, Run, provenance_of
from pipeline.gates import GATES
from pipeline.gates.definition import GateResult
from pipeline.statement import Predicate

#: The types of what is attested of every image of a final version.
OF_A_RELEASE = (PREDICATE, *dict.fromkeys(type_ for gate in GATES for type_ in gate.attests))


def state(
    results: Sequence[GateResult], digests: Mapping[str, str], build: Build, run: Run
) -> dict[str, list[Predicate]]:
    """Return what is stated of each image, by its name.

    Args:
        results: of every gate that was held, for each image; all of them passed.
        digests: of the images' manifests, by their names.
        build: the settings and the base.
        run: in which the images were built.
    """
    stated: dict[str, list[Predicate]] = {}
    for name in digests:
        own = [one for one in results if one.image == name]
        provenance = provenance_of(name, digests, build, run, [tool for one in own for tool in one.tools])
        stated[name] = [provenance, *(predicate for one in own for predicate in one.predicates)]
    return stated
