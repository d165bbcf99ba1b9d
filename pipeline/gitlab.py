"""What a GitLab job tells of itself, as labels: who built an image, from what, and where."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.metadata import refuse_control_characters

#: The variables that SKAO wants of every artefact, a name a line; `personal` marks those of a person. Its list is in
#: reference/software-release-package-references of https://developer.skao.int. `.gitlab/ci/dagger.sh` reads it too.
LABELS = Path(__file__).parent / "data/gitlab-labels.txt"


def traceability(environment: Mapping[str, str], *, personal: bool) -> dict[str, str]:
    """Return the labels that lead from an image back to the job that built it.

    Args:
        environment: of the process.
        personal: whether to tell also the names and addresses of people; an image cannot be made to forget them.

    Returns:
        Values by the names of their variables; none outside of GitLab, and none of an empty variable.

    Raises:
        MetadataError: a value holds a line break or another control character.
    """
    if not environment.get("GITLAB_CI"):
        return {}
    lines = (line.split() for line in LABELS.read_text(encoding="ascii").splitlines())
    names = [name for name, *marks in lines if personal or "personal" not in marks]
    labels = {name: environment[name] for name in names if environment.get(name)}
    for name, value in labels.items():
        refuse_control_characters(f"the variable {name}", value)
    return labels
