"""A Dagger module as anyone may have it: it knows nothing of the embedded engine."""

import dagger
from dagger import dag, field, function, object_type


@object_type
class Greeting:
    """Greets people from a container.

    Args:
        base: the image that the container starts from.
    """

    base: str = field(default="debian:12-slim")

    @function
    def container(self, words: dagger.Directory) -> dagger.Container:
        """Return a container with a program that greets in the words of a directory."""
        program = 'cat /words/hello; echo "$GREETED"'
        return (
            dag.container()
            .from_(self.base)
            .with_directory("/words", words)
            .with_new_file("/usr/local/bin/greet", f"#!/bin/sh\n{program}\n", permissions=0o755)
            .with_mounted_cache("/var/cache/greet", dag.cache_volume("greet"))
            .with_entrypoint(["greet"])
        )

    @function
    async def greet(self, words: dagger.Directory, name: str) -> str:
        """Greet someone."""
        container = self.container(words).with_env_variable("GREETED", name)
        return await container.with_exec([], use_entrypoint=True).stdout()

    @function
    def served(self, words: dagger.Directory) -> dagger.Service:
        """Return a service, which takes Dagger's engine."""
        return self.container(words).as_service()
