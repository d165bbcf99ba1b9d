# The environment's own pip installs the project in the runtime image.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root --only main

FROM ${REGISTRY}/ska-python:${VERSION}
WORKDIR /src
ENV VIRTUAL_ENV=/src/.venv
ENV PATH="$VIRTUAL_ENV/bin:$PATH"
COPY --from=build ${VIRTUAL_ENV} ${VIRTUAL_ENV}
COPY . .
RUN python -m pip --require-virtualenv install --no-deps -e .
USER nonroot
CMD ["weather"]
