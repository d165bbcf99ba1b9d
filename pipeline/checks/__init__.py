"""The checks that run in containers; their scripts are in scripts/.

check          what a check is
together       runs the checks of an image
distribution   what checks must know about the distribution of a base
contract       what consumers of an image see, and how two versions of it differ
contract_check measures it in an image, and compares it with the committed one
base_checks    what holds in every image
build_checks   what holds where software is built
python_checks  what holds where Python is, and where Python applications run
"""

from pipeline.checks.base_checks import ALL_IMAGES
from pipeline.checks.build_checks import BUILD, BUILD_PYTHON
from pipeline.checks.check import Check, CheckResult, Subject, script_check
from pipeline.checks.python_checks import PYTHON

__all__ = ["ALL_IMAGES", "BUILD", "BUILD_PYTHON", "PYTHON", "Check", "CheckResult", "Subject", "script_check"]
