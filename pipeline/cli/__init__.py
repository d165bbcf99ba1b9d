"""The command line: the module's functions under `dagger call`'s names and flags, without the Dagger CLI.

options    the flags that belong to the command line itself
functions  what can be called, read from the module and from the SDK's classes
arguments  words into calls
values     words into files, secrets, numbers …
again      build-all when nothing has changed, from its record
record     what a finished build-all depended on, and what it left
session    which engine serves the calls
summary    the table at the end of build-all
cache      what the embedded engine keeps on the disk
tables     the JSON documents of other functions, for a person
failures   errors into sentences and exit codes
remedies   the flags that help against the embedded engine's errors
streams    standard input, output and error, whatever the shell made of them
app        all of it, in order
answers    what a call returned, printed or exported
delivery   files written as a whole or not at all
help       what --help prints
progress   what the engine does, on standard error
live       the same on a terminal
run        one run: an engine, the calls, and what came of them
"""
