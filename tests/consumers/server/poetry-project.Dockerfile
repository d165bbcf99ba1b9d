# Poetry installs the dependencies, then the project itself.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY pyproject.toml poetry.lock* ./
ENV POETRY_NO_INTERACTION=1
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
ENV POETRY_VIRTUALENVS_CREATE=1
RUN poetry install --no-root --only main
COPY src src
RUN poetry install --only-root

FROM ${REGISTRY}/ska-python:${VERSION}
WORKDIR /src
COPY --from=build /src /src
ENV PATH="/src/.venv/bin:$PATH"
USER nonroot
CMD ["weather"]
