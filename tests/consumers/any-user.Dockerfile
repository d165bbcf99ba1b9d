# A user that /etc/passwd does not know makes an environment and installs into it with pip.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION}
WORKDIR /project
COPY . .
ARG USER_ID
USER ${USER_ID}
RUN python3 -m venv /tmp/environment && cp -r /project /tmp/project && /tmp/environment/bin/pip install /tmp/project
