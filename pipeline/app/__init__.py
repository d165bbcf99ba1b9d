"""An application on the images: a Python project becomes a checked container.

python_project  what pyproject.toml says of the project
lockfile        the file that pins the project's dependencies
pair            the build image and the runtime image, of this source or of a release
step_failures   failures of steps as one sentence with a remedy
environment     the virtual environment: dependencies first, then the project
tested          the project's own tests, in the build image
app_checks      what must hold in an application's image
application     the image, its labels and its layers
app_provenance  from which source, lock and images it was built
build_app       all of it, for `build-app` and `report-app`
"""
