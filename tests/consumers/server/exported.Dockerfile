# pip installs what Poetry exports.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY pyproject.toml poetry.lock ./
RUN poetry export --output requirements.txt
RUN python3 -m venv /src/.venv && /src/.venv/bin/pip install --require-hashes --requirement requirements.txt

FROM ${REGISTRY}/ska-python:${VERSION}
WORKDIR /src
COPY --from=build /src/.venv /src/.venv
COPY src/weather weather
ENV PATH="/src/.venv/bin:$PATH"
USER nonroot
CMD ["uvicorn", "weather.app:app", "--host", "0.0.0.0"]
