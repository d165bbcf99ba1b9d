# The runtime image has uv for one step, from an image of uv alone.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS tools

FROM scratch AS uv
COPY --from=tools /usr/lib/pipx/venvs/uv/bin/uv /uv

FROM ${REGISTRY}/ska-python:${VERSION}
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN --mount=from=uv,source=/uv,target=/usr/local/bin/uv uv sync --frozen --no-dev --no-install-project
COPY src/weather weather
ENV PATH="/app/.venv/bin:$PATH"
USER nonroot
CMD ["uvicorn", "weather.app:app", "--host", "0.0.0.0"]
