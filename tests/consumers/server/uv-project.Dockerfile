# A second run of uv installs the project itself.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-default-groups --no-install-project
COPY src src
RUN uv sync --locked --no-default-groups --no-editable && uv pip install pip

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /app/.venv /app/.venv
ENV PATH="/app/.venv/bin:$PATH"
RUN pip --version
USER nonroot
CMD ["weather"]
