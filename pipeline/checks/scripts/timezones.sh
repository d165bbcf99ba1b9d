fact "time in Johannesburg" "+0200" "$(TZ=Africa/Johannesburg date +%z)"
if command -v python3 >/dev/null; then
    fact "Python's UTC and Europe/London" "UTC GMT" "$(python3 -B -c '
from datetime import datetime
from zoneinfo import ZoneInfo
print(*(datetime(2026, 1, 1, tzinfo=ZoneInfo(name)).tzname() for name in ("UTC", "Europe/London")))' 2>&1)"
fi
verdict "UTC, Europe/London and Africa/Johannesburg"
