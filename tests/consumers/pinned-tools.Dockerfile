# Root pins other versions of tools; what was installed is what runs.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS poetry
WORKDIR /project
COPY . .
RUN poetry export --output /requirements.txt && grep -q '^msgpack==' /requirements.txt
RUN pip install --no-cache-dir --user poetry==2.1.4 && poetry --version | grep -q 2.1.4

FROM ${REGISTRY}/ska-build-python:${VERSION}
COPY --from=poetry /requirements.txt /requirements.txt
RUN pipx install poetry==2.1.4 && poetry --version | grep -q 2.1.4
RUN pipx install build==1.3.0 && pyproject-build --version | grep -q 1.3.0
