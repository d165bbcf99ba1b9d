"""The module's functions of the audit, as they should be registered."""

from tests.registered import FRESH, Argument, Function

AUDIT_FUNCTIONS = {
    "audit": Function(
        "String!",
        FRESH,
        True,
        "Audit images by the CIS benchmark with OpenSCAP, and return how many rules each passes.\n\n"
        "The call fails when a rule fails that the committed baseline does not know to fail, or when one that\n"
        "passed is gone. Nothing of the images runs.",
        {"image": Argument("[String!]", "null", "Image to audit; may be given again. By default all.")},
    ),
    "audit_baseline": Function(
        "String!",
        FRESH,
        False,
        "Audit all images and return the baseline that they make, as JSON, whatever it holds.\n\n"
        "It belongs in pipeline/data/baselines once the rules that fail are understood.",
        {},
    ),
}
