# A container for development: a user 1000 with sudo, a login shell, and a program with a capability.
ARG REGISTRY=artefact.skao.int
ARG VERSION=0.1.0

FROM ${REGISTRY}/ska-build-python:${VERSION}
RUN apt-get update && apt-get install -y --no-install-recommends sudo libcap2-bin openssh-client
RUN groupadd --gid 1000 developer && useradd --uid 1000 --gid 1000 --create-home developer && \
    echo 'developer ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/developer
RUN cp /usr/bin/python3 /usr/local/bin/python-net && setcap cap_net_bind_service+ep /usr/local/bin/python-net
SHELL ["/bin/bash", "-lc"]
RUN mkdir /made && echo text >/made/file
ENV TZ=Africa/Johannesburg LC_ALL=C.UTF-8
USER developer
