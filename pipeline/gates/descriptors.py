"""Descriptors of the source code and of tools, in in-toto's form.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
"""

from typing import Any

from pipeline.build.inputs import Build
from pipeline.build.labelling import OCI
from pipeline.gates.tools import UsedTool


def source_descriptor(build: Build) -> dict[str, Any]:
    """Return the descriptor of the source code, with the commit if it is known."""
    source = f"git+{build.settings.source}"
    # A module on Dagger's engine sees no environment; it gets the commit as a label.
    revision = build.settings.revision or build.settings.labels.get(f"{OCI}revision", "")
    if not revision:
        return {"name": "source", "uri": source}
    return {"name": "source", "uri": f"{source}@{revision}", "digest": {"gitCommit": revision}}


def tool_descriptor(tool: UsedTool) -> dict[str, Any]:
    """Return the descriptor of a tool, with its version and the digest of the file that was used."""
    return {"name": tool.name, "uri": f"pkg:generic/{tool.name}@{tool.version}", "digest": {"sha256": tool.checksum}}


def job_url(build: Build) -> dict[str, str]:
    """Return the field of a test result that names the GitLab job; empty outside GitLab."""
    job = build.settings.labels.get("CI_JOB_URL", "")
    return {"url": job} if job else {}
