"""The rules of the CIS benchmark that do not apply to container images, with reasons, as XCCDF tailoring."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

#: The audited profile: CIS Level 1 for servers, of the image's own distribution.
PROFILE = "xccdf_org.ssgproject.content_profile_cis_level1_server"
#: The same without the rules below.
TAILORED = "xccdf_int.skao_profile_base-images"
#: The prefix of rule names in the SCAP Security Guide.
RULE = "xccdf_org.ssgproject.content_rule_"
_XCCDF = "http://checklists.nist.gov/xccdf/1.2"


@dataclass(frozen=True)
class Dropped:
    """A rule that is not audited.

    Args:
        rule: the rule's name, without RULE.
        reason: why it does not apply to an image.
    """

    rule: str
    reason: str


_MOUNTS = "What is mounted in a container, and how, is decided by who starts it; an image holds no mounts."
_KERNEL = "AppArmor belongs to the kernel, which is the host's; the host confines containers, and none confines itself."
_PATH = (
    "The rule reads PATH from the environment of the audit itself; the check `accounts` looks at the image's own PATH."
)

_UMASK = (
    "The steps of a Dockerfile make files for the image's users, also in a login shell or by su; the check `umask` "
    "verifies that these can read them."
)

DROPPED: tuple[Dropped, ...] = (
    Dropped("accounts_umask_etc_login_defs", _UMASK),
    Dropped("accounts_umask_etc_profile", _UMASK),
    Dropped("accounts_umask_etc_bashrc", _UMASK),
    Dropped("partition_for_dev_shm", _MOUNTS),
    Dropped("partition_for_tmp", _MOUNTS),
    Dropped("mount_option_dev_shm_nodev", _MOUNTS),
    Dropped("mount_option_dev_shm_noexec", _MOUNTS),
    Dropped("mount_option_dev_shm_nosuid", _MOUNTS),
    Dropped("root_path_all_dirs", _PATH),
    Dropped("root_path_no_dot", _PATH),
    Dropped("package_apparmor_installed", _KERNEL),
    Dropped("package_apparmor-utils_installed", _KERNEL),
    Dropped("grub2_enable_apparmor", "A container has no boot loader."),
    Dropped(
        "firewall_single_service_active",
        "It asks which services run, and in an image nothing runs; a container's network is filtered outside of it.",
    ),
    Dropped(
        "package_pam_pwquality_installed",
        "It judges new passwords, and there are none: the check `accounts` sees that no account has a password.",
    ),
    Dropped(
        "file_groupownerships_var_log",
        "It fails where there is no log at all, and none may be there: the check `leftovers` sees to that.",
    ),
)


def render(content: str) -> str:
    """Return the tailoring as an XML document.

    Args:
        content: the name of the data stream that it tailors.

    See NIST IR 7275 rev. 4 (XCCDF 1.2), section 6.7.
    """
    ET.register_namespace("", _XCCDF)
    root = ET.Element(f"{{{_XCCDF}}}Tailoring", id="xccdf_int.skao_tailoring_base-images")
    ET.SubElement(root, f"{{{_XCCDF}}}benchmark", href=content)
    # oscap requires a time. A fixed one keeps the document the same; the data stream's name dates the rules.
    ET.SubElement(root, f"{{{_XCCDF}}}version", time="2026-01-01T00:00:00").text = "1"
    profile = ET.SubElement(root, f"{{{_XCCDF}}}Profile", id=TAILORED, extends=PROFILE)
    ET.SubElement(profile, f"{{{_XCCDF}}}title").text = "CIS Level 1 for servers, where it means something in an image"
    for dropped in DROPPED:
        select = ET.SubElement(profile, f"{{{_XCCDF}}}select", idref=f"{RULE}{dropped.rule}", selected="false")
        ET.SubElement(select, f"{{{_XCCDF}}}remark").text = dropped.reason
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
