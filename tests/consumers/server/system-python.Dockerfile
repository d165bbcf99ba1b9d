# The application goes into the system's Python and travels with /usr/local; Poetry stays behind.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
ENV POETRY_VIRTUALENVS_CREATE=false
WORKDIR /app
COPY . .
RUN poetry install --only main && pip install --no-deps .

FROM ${REGISTRY}/ska-python:${VERSION}
COPY --from=build /usr/local/ /usr/local/
CMD ["weather"]
