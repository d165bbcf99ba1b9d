"""The command line: the module's functions under `dagger call`'s names and flags, without the Dagger CLI.

app        from the command line to the exit code
options    the command line's own flags
functions  the functions and their flags, read from the module and the SDK's classes
arguments  words parsed into calls
values     words converted into files, secrets, numbers …
help       the output of --help
run        one run: an engine, the calls, and their outcome
session    the engine that serves the calls, and the base that it starts from
again      a build-all that has nothing to do, answered from its record
record     the inputs and outputs of a finished build-all
progress   the engine's steps on standard error
live       the same, on a terminal
answers    the result of a call, printed or exported
delivery   files and directories written completely or not at all
summary    the outcome of a run, and the table of build-all
tables     the JSON documents of other functions, as tables
cache      `ska-images cache`
renewal    `ska-images renew-bases`
failures   errors as sentences and exit codes
remedies   the flags that help against the embedded engine's errors
streams    standard input, output and error, even if closed
"""
