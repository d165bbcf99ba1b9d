# The interpreter is the entrypoint.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY . .
RUN uv sync --locked --no-dev --no-editable

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /src/.venv /src/.venv
ENV PATH="/src/.venv/bin:$PATH"
USER 1000660000
ENTRYPOINT ["python3", "-u"]
CMD ["-m", "uvicorn", "weather.app:app", "--host", "0.0.0.0"]
