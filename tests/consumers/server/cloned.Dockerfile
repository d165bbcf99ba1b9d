# One stage clones the project and installs it.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION}
RUN apt-get update && apt-get install -y git
COPY . /repository
RUN git -C /repository init --quiet && git -C /repository add . && \
    git -C /repository -c user.name=a -c user.email=a@example.org commit --quiet --message all
RUN git clone /repository /src
WORKDIR /src
RUN poetry install --only main
USER nonroot
CMD ["/src/.venv/bin/weather"]
