# A worker: renders pairs and serves them. Nothing that trains is in it.
#
#   docker build -f docker/worker.Dockerfile -t pairstream-worker .
#
# With `--build-arg ENGINES=fused` it has no torch and is much smaller; that engine needs none.
# With `--build-context wheels=FOLDER` pip takes the wheels in that folder before those of an index.

ARG PYTHON=python:3.11-slim

FROM scratch AS wheels

# On its own, so that what is installed below is installed again only if this list changes.
FROM ${PYTHON} AS packages
ARG ENGINES="fused torchsynth"
ARG EXTRAS="tls"
COPY pyproject.toml docker/packages.py /
RUN python /packages.py /pyproject.toml $ENGINES $EXTRAS > /packages.txt

FROM ${PYTHON} AS build
# Where torch comes from. PyPI's own brings all that a card needs, which is far larger.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
WORKDIR /src
COPY constraints.txt ./
COPY --from=packages /packages.txt ./
# torchsynth comes without what it requires: that would be Lightning, for a file of it that is not used here.
RUN --mount=type=bind,from=wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    if grep -q ^torchsynth packages.txt; then \
         if ls /wheels/torch-*.whl > /dev/null 2>&1; then from="--no-index --find-links /wheels"; \
         else from="--index-url $TORCH_INDEX"; fi \
         && pip install --constraint constraints.txt --no-deps $from torch \
         && pip install --constraint constraints.txt --no-deps torchsynth; \
       fi \
    && grep -v ^torchsynth packages.txt | pip install --constraint constraints.txt --find-links /wheels --requirement /dev/stdin
# What only those need who test or build upon these packages.
RUN cd /opt/venv/lib/python*/site-packages && find . -type d -name tests -prune -exec rm -rf {} + \
    && rm -rf torch/include torch/test torch/bin/test_* torch/bin/protoc*
COPY LICENSE README.md pyproject.toml ./
COPY proto proto
COPY synth_server synth_server
COPY trainer trainer
RUN pip install --no-deps . && pip uninstall --yes pip
# Compiled here for this kind of processor; another kind compiles at its first start, into the same folder.
RUN NUMBA_CACHE_DIR=/kernels synth-server render --pairs 1 --out /tmp/pairs

FROM ${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pairstream-worker" \
      org.opencontainers.image.description="Renders pairs of synthetic sounds and serves them to trainers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
RUN useradd --uid 10001 --no-create-home --home-dir /tmp pairstream \
    && install -d -o 10001 -g 10001 /keys /keys-of-clients
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=10001:10001 /kernels /kernels
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/kernels \
    SYNTH_SERVER_SERVE__BIND=tcp://0.0.0.0:5555 \
    SYNTH_SERVER_SERVE__GRPC=0.0.0.0:5556 \
    SYNTH_SERVER_SERVE__HTTP=0.0.0.0:5557 \
    SYNTH_SERVER_SERVE__LOG_FORMAT=json
USER 10001:10001
WORKDIR /tmp
EXPOSE 5555 5556 5557
# A block was rendered lately; a worker that nobody asks renders one for the question.
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --start-interval=2s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:5557/healthz', timeout=9)"]
ENTRYPOINT ["synth-server"]
CMD ["serve"]
