"""What pipeline/steps/harden.sh does, with the rules that ask for it and the check that sees it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One function of harden.sh.

    Args:
        function: its name.
        rules: of the SCAP Security Guide that it satisfies.
        check: the name of the check that fails where it did not take effect.
    """

    function: str
    rules: tuple[str, ...]
    check: str


HARDENING: tuple[Edit, ...] = (
    # CIS leaves these files to a review by people; the profile has no rule for them, and the check is ours alone.
    Edit("take_privileges_away", (), "privileged-files"),
    Edit(
        "set_umask",
        ("accounts_umask_etc_login_defs", "accounts_umask_etc_profile", "accounts_umask_etc_bashrc"),
        "umask",
    ),
    Edit("close_homes", ("file_permissions_home_directories", "file_permission_user_init_files"), "umask"),
    Edit("limit_su", ("use_pam_wheel_group_for_su", "ensure_pam_wheel_group_empty"), "accounts"),
)
