"""One run: its settings, its base, and the images that it produces.

settings         what a build is given, from arguments, environment and files
severity         how severe a vulnerability is
version          the version of a release
base_reference   the name of a base
end_of_life      the end of a line's support
line_choice      which lines are built, and on which bases
signature_kinds  the kinds of signatures, and those that a final version needs
base             where the images' chains start
rootfs           archives of a base
apt_snapshot     moments at which Ubuntu's archive is frozen
inputs           what all images of a run share
label_syntax     what may stand in a label
labelling        the step that writes labels and metadata
gitlab           the labels that identify a GitLab job
assembly         images that are built, packed and checked on demand
record_contracts what images offer, for the maintainer to commit
build_report     build-report.json
chain            the lazy container of an image
project          the settings in pyproject.toml
settings_errors  malformed settings as sentences
amounts          sizes and ages as people write them
"""
