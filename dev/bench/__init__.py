"""How fast the builds are and what memory they take, beside docker's BuildKit and buildah where these are installed.

    dockerfiles   the images' steps as one Dockerfile
    measure       one command: seconds, processor seconds, memory of its processes
    ours          what is measured of this project
    others        the same images with docker and buildah
    variants      copies of this project with a changed catalogue
    table         results as a table and as JSON
    unchecked     the images without their checks: a program of its own

Nothing here is a test, and no test is timed.
"""
