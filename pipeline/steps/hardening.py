"""The functions of pipeline/steps/harden.sh, with the rules that demand them and the checks that verify them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One function of harden.sh.

    Args:
        function: its name.
        rules: of the SCAP Security Guide that it satisfies.
        check: the name of the check that fails without it.
    """

    function: str
    rules: tuple[str, ...]
    check: str


HARDENING: tuple[Edit, ...] = (
    # CIS leaves these files to a manual review, so the profile has no rule for them.
    Edit("take_privileges_away", (), "privileged-files"),
    Edit("close_homes", ("file_permissions_home_directories", "file_permission_user_init_files"), "homes"),
    Edit("keep_configuration", (), "configuration"),
    Edit("limit_su", ("use_pam_wheel_group_for_su", "ensure_pam_wheel_group_empty"), "accounts"),
)
