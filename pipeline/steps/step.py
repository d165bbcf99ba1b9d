"""What a step is, and the variables by which steps are told the moment of their build."""

from collections.abc import Callable

import dagger

#: Dates what is written: https://reproducible-builds.org/specs/source-date-epoch/
EPOCH = "SOURCE_DATE_EPOCH"
#: Freezes Ubuntu's archive in the steps: Settings.snapshot_id.
SNAPSHOT = "APT_SNAPSHOT"
#: A step adds to a container and does nothing by itself: only a leaf is awaited.
Step = Callable[[dagger.Container], dagger.Container]
