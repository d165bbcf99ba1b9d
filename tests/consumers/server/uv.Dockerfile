# uv installs the dependencies; the source and a user of its own join them in the runtime image.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /opt/weather
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

FROM ${REGISTRY}/ska-python:${VERSION}
WORKDIR /opt/weather
COPY --from=build /opt/weather/.venv /opt/weather/.venv
COPY src/weather weather
ENV PATH="/opt/weather/.venv/bin:$PATH"
ENV PYTHONPATH="/opt/weather"
RUN adduser weather --disabled-password
USER weather
CMD ["uvicorn", "weather.app:app", "--host", "0.0.0.0"]
