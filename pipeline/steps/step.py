"""What a step is, and the variables that give steps the time of their build."""

from collections.abc import Callable

import dagger

#: Dates what is written: https://reproducible-builds.org/specs/source-date-epoch/
EPOCH = "SOURCE_DATE_EPOCH"
#: Freezes Ubuntu's archive in the steps: Settings.snapshot_id.
SNAPSHOT = "APT_SNAPSHOT"
#: The system that a base must be, for the step that starts from it: ID-VERSION_ID of its os-release(5).
SYSTEM = "BASE_SYSTEM"
#: A step extends a lazy container; nothing runs until a leaf is awaited.
Step = Callable[[dagger.Container], dagger.Container]
