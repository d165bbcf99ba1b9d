"""Pack a few readings, unpack them again and say how small they were."""

import json

import msgpack

READINGS = [
    {"dish": "SKA001", "azimuth_deg": 181.25, "elevation_deg": 45.5},
    {"dish": "SKA036", "azimuth_deg": 181.24, "elevation_deg": 45.48},
    {"dish": "SKA063", "azimuth_deg": 181.26, "elevation_deg": 45.51},
]


def main() -> None:
    """Print one line about the readings."""
    packed = msgpack.packb(READINGS)
    if msgpack.unpackb(packed) != READINGS:
        raise SystemExit("the readings changed on their way through MessagePack")
    compiled = msgpack.Packer.__module__ == "msgpack._cmsgpack"
    print(
        f"{len(READINGS)} readings: {len(packed)} bytes of MessagePack, {len(json.dumps(READINGS))} of JSON; "
        f"C extension: {'yes' if compiled else 'no'}"
    )


if __name__ == "__main__":
    main()
