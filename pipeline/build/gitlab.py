"""A GitLab job as labels: who built an image, from what, and where."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.metadata import refuse_control_characters

#: The variables that SKAO requires of every artefact, one a line; `personal` marks those that name a person. Source:
#: reference/software-release-package-references of https://developer.skao.int. `.gitlab/ci/dagger.sh` reads it too.
LABELS = Path(__file__).parents[1] / "data/gitlab-labels.txt"


def traceability(environment: Mapping[str, str], *, personal: bool) -> dict[str, str]:
    """Return the labels that identify the job that builds an image.

    Args:
        environment: of the process.
        personal: whether to include names and addresses of people, which stay in an image for good.

    Returns:
        Values by the names of their variables, without empty ones; nothing outside GitLab.

    Raises:
        MetadataError: a value holds a line break or another control character.
    """
    if not environment.get("GITLAB_CI"):
        return {}
    names = [name for name, of_a_person in _listed() if personal or not of_a_person]
    labels = {name: environment[name] for name in names if environment.get(name)}
    for name, value in labels.items():
        refuse_control_characters(f"the variable {name}", value)
    return labels


def of_a_job(labels: Mapping[str, str], *, personal: bool = True) -> dict[str, str]:
    """Return those of an image's labels that identify the job that built it.

    Args:
        labels: of the image.
        personal: whether to include those that name people.
    """
    return {name: labels[name] for name, of_a_person in _listed() if name in labels and (personal or not of_a_person)}


def _listed() -> Iterator[tuple[str, bool]]:
    for line in LABELS.read_text(encoding="ascii").splitlines():
        name, *marks = line.split()
        yield name, "personal" in marks
