# organizer in a container: the service, the watcher, every command. See docs/how-to/containers.md.
#
#     docker build --tag organizer:cpu .
#     docker build --tag organizer:gpu --build-arg EXTRA=gpu .
#
# The same Debian and Python in both stages: a virtual environment is copied from one to the other.
FROM debian:bookworm-slim AS build

# cpu or gpu, an extra of organizer's: with OpenVINO for the processor, or for a GPU, which torch runs.
ARG EXTRA=cpu
# Where torch comes from for processors. Its own index has a build without CUDA, some gigabytes
# smaller than that of PyPI. Empty: PyPI, whose build brings the CUDA libraries along, as for a GPU.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/organizer

# First what is largest and changes least. torch and torchvision have to be of one build.
RUN if [ "$EXTRA" = gpu ]; then TORCH_INDEX=; fi \
    && /opt/organizer/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
    "torch>=2.7" "torchvision>=0.22"

COPY . /src
RUN /opt/organizer/bin/pip install --no-cache-dir "/src[$EXTRA]" /src/plugins/organizer-camera-trap \
    && /opt/organizer/bin/pip check \
    && /opt/organizer/bin/pip uninstall -y --quiet pip


FROM debian:bookworm-slim

# Debian's versions are not pinned: those of a stable release change for their security alone.
# The user's number is that of the first user of most machines: photos and folders of the host that
# are mounted can be read and written.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --user-group --no-create-home --home-dir /weights organizer \
    && install -d -o organizer -g organizer /library /photos /weights

COPY --from=build /opt/organizer /opt/organizer

# What is downloaded or imported, and networks converted for this processor, outlive the container.
ENV PATH=/opt/organizer/bin:$PATH \
    ORGANIZER_LIBRARY=/library \
    TORCH_HOME=/weights/torch \
    HF_HOME=/weights/huggingface \
    XDG_CACHE_HOME=/weights/cache \
    XDG_CONFIG_HOME=/weights/config \
    XDG_DATA_HOME=/weights/data
VOLUME ["/library", "/photos", "/weights"]
USER 1000
WORKDIR /library

# Of the service. The watcher has no port: compose.yaml turns the check off for it.
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/api/v1/health', timeout=5)"]

# Any address but this machine's own demands a token: ORGANIZER_TOKEN.
ENTRYPOINT ["organizer"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8765"]
