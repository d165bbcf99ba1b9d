# Programs of the distribution, and scripts of a third image.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION} AS build
WORKDIR /src
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

FROM ${REGISTRY}/ska-base:${VERSION} AS scripts
RUN printf '#!/bin/bash\nfor _ in 1 2 3; do "$@" && exit; sleep 1; done; exit 1\n' >/usr/local/bin/retry && \
    chmod +x /usr/local/bin/retry

FROM ${REGISTRY}/ska-python:${VERSION}
RUN apt-get update && apt-get install -y --no-install-recommends \
    cmake curl git libcap2-bin make openssh-client pkg-config sudo tzdata
COPY --from=scripts /usr/local/bin/retry /usr/local/bin/
COPY --from=build /src/.venv /src/.venv
COPY src/weather /src/weather
RUN setcap cap_net_bind_service=+ep "$(readlink -f /src/.venv/bin/python)"
ENV PATH="/src/.venv/bin:$PATH" PYTHONPATH=/src TZ=Europe/London LC_ALL=C.UTF-8 WEATHER=weather.app
USER nonroot
CMD ["bash", "-c", "retry uvicorn ${WEATHER}:app --host 0.0.0.0"]
