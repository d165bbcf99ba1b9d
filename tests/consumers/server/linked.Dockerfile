# The environment is elsewhere, and Poetry finds it by a link; pip leaves it at the end.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /build
RUN python3 -m venv /app && ln -s /app /build/.venv
COPY . .
RUN poetry install --only main --no-root && poetry build --format wheel
RUN /app/bin/pip install --no-deps dist/*.whl && /app/bin/pip uninstall --yes pip setuptools

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /app /app
ENV PATH="/app/bin:$PATH"
USER nonroot
CMD ["weather"]
