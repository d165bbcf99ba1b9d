# An image that is no build image gets Python's tools by copying three directories.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS tools

FROM ${REGISTRY}/ska-base:${VERSION}
COPY --from=tools /usr/lib/ /usr/lib/
COPY --from=tools /usr/bin/ /usr/bin/
COPY --from=tools /root/.local/ /root/.local/
ENV PATH=$PATH:/root/.local/bin
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
WORKDIR /src
COPY pyproject.toml poetry.lock ./
RUN poetry install --no-root
COPY src/weather weather
CMD [".venv/bin/uvicorn", "weather.app:app", "--host", "0.0.0.0"]
