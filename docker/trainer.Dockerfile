# A trainer: learns an encoder from workers' pairs; and the page to listen to them. Nothing that renders is in it.
#
#   docker build -f docker/trainer.Dockerfile -t pairstream-trainer .
#
# With `--build-context wheels=FOLDER` pip takes the wheels in that folder before those of an index.

ARG PYTHON=python:3.11-slim

FROM scratch AS wheels

# On its own, so that what is installed below is installed again only if this list changes.
FROM ${PYTHON} AS packages
ARG EXTRAS="trainer listen tls"
COPY pyproject.toml docker/packages.py /
RUN python /packages.py /pyproject.toml $EXTRAS > /packages.txt

FROM ${PYTHON} AS build
# Where torch comes from. PyPI's own brings all that a card needs, which is far larger.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
WORKDIR /src
COPY constraints.txt ./
COPY --from=packages /packages.txt ./
RUN --mount=type=bind,from=wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    if ls /wheels/torch-*.whl > /dev/null 2>&1; then from="--no-index --find-links /wheels"; \
       else from="--index-url $TORCH_INDEX"; fi \
    && pip install --constraint constraints.txt --no-deps $from torch \
    && pip install --constraint constraints.txt --find-links /wheels --requirement packages.txt
# What only those need who test or build upon these packages.
RUN cd /opt/venv/lib/python*/site-packages && find . -type d -name tests -prune -exec rm -rf {} + \
    && rm -rf torch/include torch/test torch/bin/test_* torch/bin/protoc* tensorboard_data_server/bin
COPY LICENSE README.md pyproject.toml ./
COPY proto proto
COPY synth_server synth_server
COPY trainer trainer
RUN pip install --no-deps . && pip uninstall --yes pip

FROM ${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pairstream-trainer" \
      org.opencontainers.image.description="Learns an audio encoder by contrast from a stream of synthetic pairs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
RUN useradd --uid 10001 --no-create-home --home-dir /tmp pairstream && install -d -o 10001 -g 10001 /runs /keys
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp NUMBA_CACHE_DIR=/tmp/numba \
    TRAINER_FIT__METRICS_HOST=0.0.0.0 \
    TRAINER_FIT__METRICS_PORT=9100 \
    TRAINER_FIT__LOG_FORMAT=json
USER 10001:10001
WORKDIR /tmp
EXPOSE 9100
# A step was made lately.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --start-interval=2s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9100/healthz', timeout=4)"]
ENTRYPOINT ["trainer"]
CMD ["fit"]
