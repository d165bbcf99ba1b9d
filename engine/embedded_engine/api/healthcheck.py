"""Fields of Container about docker's health check, and of what is known of one."""

import json
import re

from embedded_engine.api.fields import Engine, serves, serves_attributes
from embedded_engine.graph.values import Container, HealthcheckConfig
from embedded_engine.host.errors import BadInput
from embedded_engine.oci.documents import canonical_json

#: Nanoseconds, as https://pkg.go.dev/time#ParseDuration has them.
UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
#: time.Duration is a signed number of 64 bits.
LONGEST = 1 << 63
PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


@serves("Container.withDockerHealthcheck")
async def with_docker_healthcheck(
    engine: Engine,
    this: Container,
    args: list[str],
    shell: bool | None = None,
    interval: str | None = None,
    timeout: str | None = None,
    start_period: str | None = None,
    start_interval: str | None = None,
    retries: int | None = None,
) -> Container:
    if not args or (shell and len(args) != 1):
        raise BadInput("A health check has one command: give its words, or with shell the one line that it is.")
    check = {
        "Test": ["CMD-SHELL" if shell else "CMD", *args],
        "Interval": _nanoseconds(interval),
        "Timeout": _nanoseconds(timeout),
        "StartPeriod": _nanoseconds(start_period),
        "StartInterval": _nanoseconds(start_interval),
        "Retries": retries,
    }
    return this.with_config(healthcheck=canonical_json({name: value for name, value in check.items() if value}))


@serves("Container.withoutDockerHealthcheck")
async def without_docker_healthcheck(engine: Engine, this: Container) -> Container:
    return this.with_config(healthcheck="")


@serves("Container.dockerHealthcheck")
async def docker_healthcheck(engine: Engine, this: Container) -> HealthcheckConfig | None:
    check = json.loads(this.config.healthcheck or "{}")
    kind, *args = check.get("Test") or ["NONE"]
    if kind not in ("CMD", "CMD-SHELL"):
        return None
    return HealthcheckConfig(
        args=tuple(args),
        shell=kind == "CMD-SHELL",
        interval=_written(check.get("Interval", 0)),
        timeout=_written(check.get("Timeout", 0)),
        start_period=_written(check.get("StartPeriod", 0)),
        start_interval=_written(check.get("StartInterval", 0)),
        retries=check.get("Retries", 0),
    )


serves_attributes(HealthcheckConfig, "args", "shell", "interval", "timeout", "startPeriod", "startInterval", "retries")


def _nanoseconds(text: str | None) -> int:
    if text in (None, "0"):
        return 0
    parts = PART.findall(text or "")
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadInput(f"'{text}' is no length of time; write it as 30s or 1m30s.")
    found = sum(float(number) * UNITS[unit] for number, unit in parts)
    if found >= LONGEST:
        raise BadInput(f"'{(text or '')[:40]}' is too long a time; Go, which reads it, knows up to 292 years.")
    return sum(round(float(number) * UNITS[unit]) for number, unit in parts)


def _written(nanoseconds: int) -> str:
    """Write a length of time as Go does: 1m30s, 1.5s, 100ms, 0s."""
    if 0 < nanoseconds < UNITS["s"]:
        unit = max((unit for unit in ("ns", "µs", "ms") if UNITS[unit] <= nanoseconds), key=UNITS.__getitem__)
        return f"{nanoseconds / UNITS[unit]:g}{unit}"
    minutes, rest = divmod(nanoseconds, UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / UNITS['s']:.9f}".rstrip("0").rstrip(".")
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
