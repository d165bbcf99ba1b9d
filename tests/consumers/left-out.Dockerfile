# Packages that the build image's own programs use too travel with /usr/local.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
RUN pip install --no-cache-dir click packaging setuptools wheel colorama argcomplete userpath

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /usr/local/ /usr/local/
USER nonroot
