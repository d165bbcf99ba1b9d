"""One run: its settings, its base, and the images that come of it.

settings         what a build is given, from arguments, environment and files
severity         how grave a vulnerability is
base             where the images' chains start
rootfs           archives of a base
apt_snapshot     moments at which Ubuntu's archive is frozen
inputs           what all images of a run have in common
label_syntax     what may stand in a label
labelling        the step that writes labels and metadata
gitlab           the labels that lead back to a GitLab job
assembly         images that are built, packed and checked when somebody asks
build_report     build-report.json
chain            the container of an image, not yet run
project          what pyproject.toml says
settings_errors  malformed settings as sentences
amounts          sizes and ages as people write them
"""
