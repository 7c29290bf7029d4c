# Kneewatch as a container: `docker compose up --build`, or by hand as docs/install.md says.

FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY requirements.lock runtime.lock ./
# What builds the wheel, with hashes, is part of the large lock; what runs goes into an environment that has no pip.
RUN awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } wanted' requirements.lock >build.lock \
    && python -m venv /build \
    && /build/bin/pip install --no-cache-dir --no-deps --require-hashes -r build.lock \
    && python -m venv --without-pip /opt/kneewatch \
    && pip --python /opt/kneewatch install --no-cache-dir --no-deps --require-hashes -r runtime.lock
COPY . .
RUN /build/bin/python -m hatchling build -t wheel -d /wheel \
    && pip --python /opt/kneewatch install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.11-slim-bookworm
# The runner's files belong to this user; a folder that is mounted in the volume's place has to as well.
RUN useradd --uid 10001 --no-create-home --home-dir /home/runner --shell /usr/sbin/nologin runner \
    && install --directory --owner=runner --group=runner --mode=700 /home/runner /home/runner/kneewatch /scratch
COPY --from=build /opt/kneewatch /opt/kneewatch
ENV PATH=/opt/kneewatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    KNEEWATCH_HOME=/home/runner/kneewatch \
    TMPDIR=/scratch
USER 10001
WORKDIR /home/runner
VOLUME ["/home/runner/kneewatch", "/scratch"]
# Doctor reads the whole database, so seldom is enough; a process that ends is noticed by Docker at once.
HEALTHCHECK --interval=10m --timeout=2m --start-period=5m --retries=2 CMD ["kneewatch", "doctor"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["kneewatch"]
CMD ["serve"]
