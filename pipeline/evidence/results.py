"""The statements about a release's images: their provenance, and the predicates of their gates.

Source: https://github.com/in-toto/attestation/tree/main/spec/predicates
"""

from collections.abc import Mapping, Sequence

from pipeline.build.inputs import Build
from pipeline.evidence.provenance import PREDICATE, Run, provenance_of
from pipeline.gates import GATES
from pipeline.gates.definition import GateResult
from pipeline.statement import Predicate

#: The types of the attestations that every image of a final version must have.
OF_A_RELEASE = (PREDICATE, *dict.fromkeys(type_ for gate in GATES for type_ in gate.attests))


def state(
    results: Sequence[GateResult], digests: Mapping[str, str], build: Build, run: Run
) -> dict[str, list[Predicate]]:
    """Return the predicates about each image, by its name.

    Args:
        results: the results of all gates for all images, none with problems.
        digests: the digests of the images' manifests by name.
        build: the settings and the base.
        run: the run that built the images.
    """
    predicates: dict[str, list[Predicate]] = {}
    for name in digests:
        own = [result for result in results if result.image == name]
        provenance = provenance_of(name, digests, build, run, [tool for result in own for tool in result.tools])
        predicates[name] = [provenance, *(predicate for result in own for predicate in result.predicates)]
    return predicates
