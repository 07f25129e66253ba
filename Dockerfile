# Three images; docker-compose.yaml builds them:
#   airflow           Airflow with this project inside
#   standin-redshift  localaws/: the Redshift Data API, over a PostgreSQL of its own, and the gateway
#                     of S3 and SQS
#   standin-emulator  S3 and SQS behind that gateway
# Not run in CI, which has no engine; tests/test_compose.py checks what can be checked without one.

# "slim" is Airflow without providers. They all come from our own lock, so the image holds the very
# versions that the tests ran with. The full image's other providers would keep the versions of
# Airflow's constraints file beside ours, a mixture that nobody has tried.
FROM apache/airflow:slim-3.3.2-python3.11 AS airflow
COPY --chown=airflow:0 docker/requirements.txt /opt/airflow/requirements.txt
# --no-deps: the lock is complete but for mysqlclient, which has no wheel and would need a compiler.
# The MySQL provider asks for it in its metadata; we read with PyMySQL.
RUN pip install --no-cache-dir --no-deps -r /opt/airflow/requirements.txt
COPY --chown=airflow:0 docker/airflow-init.sh docker/heartbeat.py /opt/airflow/docker/
COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 dags /opt/airflow/dags
ENV PYTHONPATH=/opt/airflow:/opt/airflow/plugins
# The reader's loops are compiled here, so that no task waits for it; any user of the image's group
# may add what another processor needs.
ENV NUMBA_CACHE_DIR=/opt/airflow/.numba
RUN python -m mysql_arrow && chmod -R g=u /opt/airflow/.numba
# Where the receiver keeps events while their queue is away; mount a volume there.
RUN mkdir --mode=0770 /opt/airflow/spool

FROM python:3.11.14-slim-bookworm AS standin
# State lies below the one directory that the user owns: mount a volume there.
RUN useradd --uid 10001 --create-home standin \
    && install --directory --owner=standin --group=standin /var/lib/standin
ENV PYTHONUNBUFFERED=1
WORKDIR /opt/standin
COPY docker/answers.py docker/create_bucket.py /opt/standin/

FROM standin AS standin-redshift
COPY docker/requirements-standin.txt /opt/standin/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /opt/standin/requirements.txt
COPY localaws /opt/standin/localaws
USER standin

# An image of its own for the reason that it has a virtualenv of its own elsewhere: it pins another
# botocore.
FROM standin AS standin-emulator
COPY localaws/requirements-ministack.txt /opt/standin/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /opt/standin/requirements.txt
COPY localaws /opt/standin/localaws
USER standin
