"""Measures the time and the memory of builds, beside docker's BuildKit and buildah if these are installed.

    accounting    processor time by kind
    dockerfiles   the images' steps as Dockerfiles
    floor         the same steps without a builder
    measure       measures a command: seconds, processor seconds, memory of its processes
    ours          the measurements of this project
    others        the same images with docker and buildah
    variants      copies of this project with a changed catalogue
    table         the results as a table and as JSON
    unchecked     builds the images without their checks

Nothing here is a test, and no test is timed.
"""
