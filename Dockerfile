# Earshot in a container: two stages, no root, nothing written but /data, /recordings and /tmp.
# Python and Debian get their security updates under this tag: build again to have them. --build-arg BASE=python@sha256:... pins it wholly.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS packages
COPY requirements-otel.lock /build/requirements.lock
RUN python -m venv /opt/venv
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/requirements.lock

FROM ${BASE}
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin earshot
# A named volume takes owner and mode from the folder that it is mounted on.
RUN install -d -o 10001 -g 10001 -m 0700 /data /recordings
COPY --from=packages /opt/venv /opt/venv
COPY main.py LICENSE /app/
COPY assets /app/assets
COPY services /app/services
COPY ui /app/ui
COPY words /app/words
RUN /opt/venv/bin/python -m compileall -q /app
ENV HOST=0.0.0.0 \
    PORT=8080 \
    EARSHOT_DATA_DIR=/data \
    EARSHOT_LOG_FORMAT=json \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /app
EXPOSE 8080
# Dials under way are answered first, within 15 s: stop with at least 30 s of patience (docker stop --time 30).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/opt/venv/bin/python", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=4)"]
CMD ["/opt/venv/bin/python", "main.py"]
