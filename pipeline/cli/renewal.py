"""`ska-images renew-bases`: looks up the digest of each line's base, writes it, and shows what moved."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.cli.delivery import write_beside
from pipeline.cli.options import Options, UsageError
from pipeline.escape import escaped

RENEW = "renew-bases"
SUMMARY_OF_RENEWAL = "Look up the digest of each line's base, write it, and show what moved."
HELP_OF_RENEWAL = f"""\
Usage: ska-images {RENEW}

{SUMMARY_OF_RENEWAL}

The registry of each base says what its tag names now. The digests are written
into pipeline/catalogue/lines.py, all of them or none. Nothing is built.

Global flags: --json prints everything as JSON."""


async def renew(options: Options, words: Sequence[str]) -> tuple[str, int]:
    """Run the command.

    Args:
        options: `json` is read.
        words: those after `renew-bases`.

    Returns:
        The output, and the exit code.

    Raises:
        UsageError: a word was given.
        ReleaseError, RegistryError: a base could not be looked up; nothing is written.
    """
    if words:
        raise UsageError(f"{RENEW} takes no arguments, and {words[0]!r} was given; see `ska-images {RENEW} --help`.")
    from pipeline.release.renew import LINES_FILE, renew_bases

    renewals = await renew_bases(write_beside)
    if options.json:
        return json.dumps([asdict(renewal) for renewal in renewals], indent=4), 0
    lines = []
    for renewal in renewals:
        lines.append(f"{renewal.line}  {renewal.before.partition('@')[0]}")
        if renewal.has_moved:
            lines += [f"  was {renewal.before.partition('@')[2]}", f"  is  {renewal.after.partition('@')[2]}"]
        else:
            lines.append("  has not moved")
    moved = sum(renewal.has_moved for renewal in renewals)
    where = f"; {LINES_FILE.name} is written" if moved else ""
    return "\n".join([*map(escaped, lines), "", f"{moved} of {len(renewals)} bases moved{where}."]), 0
