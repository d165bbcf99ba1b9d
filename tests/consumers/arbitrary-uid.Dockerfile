# A uid that /etc/passwd does not know, with the home of container engines, uses every tool.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION}
WORKDIR /project
RUN chmod 0777 .
USER 1000660000:0
ENV HOME=/
COPY . .
RUN cp -r /project /tmp/project
WORKDIR /tmp/project
RUN pip install --user msgpack && python3 -c 'import msgpack'
RUN pipx list
RUN poetry install --no-root && .venv/bin/python -c 'import msgpack' && rm -r .venv
RUN uv venv && uv pip install msgpack && .venv/bin/python -c 'import msgpack'
