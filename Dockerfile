# docker build --target service .     the HTTP service, about a second to ready, without TensorFlow
# docker build --target training .    the trainer
ARG BASE=python:3.11-slim

FROM ${BASE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A fresh named volume takes owner and content of the folder that it covers.
RUN groupadd --gid 10001 gatewise \
    && useradd --uid 10001 --gid gatewise --home-dir /tmp --no-create-home --shell /usr/sbin/nologin gatewise \
    && install --directory --owner gatewise --group gatewise models/store keys


# Its compiler stays here; the images take what it made.
FROM base AS native
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
# Little, so that most changes do not compile again.
COPY models/__init__.py models/errors.py models/
COPY service/__init__.py service/
COPY service/engines/__init__.py service/engines/
COPY service/engines/native/ service/engines/native/
RUN python -m service.engines.native


FROM base AS service
# 1 adds the reference engine, for versions that have no model.onnx.
ARG TENSORFLOW=0
# 1 adds what sends traces.
ARG OTEL=0
# 1 adds what shares the rates of keys between replicas.
ARG REDIS=0
# hub, s3 and gs, with spaces between, add what pulls versions from there.
ARG REMOTES=
COPY requirements/service.txt requirements/service-tensorflow.txt requirements/otel.txt requirements/redis.txt \
    requirements/hub.txt requirements/s3.txt requirements/gs.txt requirements/
RUN if [ "$TENSORFLOW" = 1 ]; then lock=service-tensorflow; else lock=service; fi \
    && if [ "$OTEL" = 1 ]; then extra="--requirement requirements/otel.txt"; fi \
    && if [ "$REDIS" = 1 ]; then extra="${extra:-} --requirement requirements/redis.txt"; fi \
    && for remote in $REMOTES; do extra="${extra:-} --requirement requirements/$remote.txt"; done \
    && python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --require-hashes --requirement requirements/$lock.txt ${extra:-}
COPY --chown=gatewise:gatewise models/store/ models/store/
COPY models/*.py models/
COPY models/remotes/ models/remotes/
COPY models/tables/ models/tables/
COPY gatewise/ gatewise/
COPY service/ service/
COPY --from=native /app/service/engines/native/compiled/ service/engines/native/compiled/
# The folder is read-only at run time; without this each process compiles what it imports.
RUN python -m compileall -q gatewise models service
# Not an option of the command, so that the doctor in a container sees it too.
ENV GATEWISE_HOST=0.0.0.0
USER gatewise
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["python", "-m", "service"]


FROM base AS training
COPY requirements/training.txt requirements/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --require-hashes --requirement requirements/training.txt
# Downloads outlive the container when a volume is mounted here.
ENV HF_HOME=/var/cache/huggingface GATEWISE_WORK=/var/lib/gatewise MPLCONFIGDIR=/tmp/matplotlib
RUN install --directory --owner gatewise --group gatewise "$HF_HOME" "$GATEWISE_WORK"
COPY --chown=gatewise:gatewise models/store/ models/store/
COPY models/*.py models/
COPY models/remotes/ models/remotes/
COPY models/tables/ models/tables/
COPY service/ service/
COPY --from=native /app/service/engines/native/compiled/ service/engines/native/compiled/
COPY training/ training/
USER gatewise
ENTRYPOINT ["python", "-m", "training"]
CMD ["--help"]
