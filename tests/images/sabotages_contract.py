"""Ways to break what consumers of an image rely on."""

from tests.images.sabotage import Sabotage, shell, stub, variable

CONTRACT = (
    Sabotage(
        "the number of an account",
        "ska-base",
        "contract",
        shell("usermod --uid 4242 nonroot"),
        r"accounts nonroot: expected 65532:65532 \S+ \S+, found 4242:65532",
    ),
    Sabotage(
        "a variable",
        "ska-base",
        "contract",
        variable("LANG", "POSIX"),
        "environment LANG: expected C.UTF-8, found POSIX",
    ),
    Sabotage(
        "a program that nobody asked for",
        "ska-base",
        "contract",
        stub("/usr/bin/wget", "wget 1.21"),
        "tools wget: expected nothing, found 1.21",
    ),
    Sabotage(
        "a program that Dockerfiles run",
        "ska-build",
        "contract",
        shell("rm /usr/bin/make"),
        r"tools make: expected 4\.\d, found nothing",
    ),
    Sabotage(
        "the rights of a directory",
        "ska-build",
        "contract",
        shell("chmod 0755 /.cache"),
        r"paths /\.cache: expected directory 1777 root:root, found directory 755 root:root",
    ),
    Sabotage(
        "the entrypoint",
        "ska-base",
        "contract",
        lambda container: container.with_entrypoint(["python3", "-u"]),
        "configuration entrypoint: expected nothing, found python3 -u",
    ),
    Sabotage(
        "a file of another size",
        "ska-base",
        "contract",
        shell("truncate --size=50M /usr/share/big"),
        r"size megabytes: expected \d+, found 2\d\d",
    ),
)
