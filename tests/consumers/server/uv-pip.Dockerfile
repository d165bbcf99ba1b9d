# uv works like pip.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY . .
RUN uv venv && uv pip install .

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /src/.venv /src/.venv
ENV PATH="/src/.venv/bin:$PATH"
USER nonroot
CMD ["weather"]
