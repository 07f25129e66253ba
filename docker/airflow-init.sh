#!/usr/bin/env bash
# Prepares Airflow's database: schema, administrator, pools. Runs to its end before anything else of
# Airflow starts, at every `docker compose up`; a second time changes nothing.
set -euo pipefail

airflow db migrate

# An account that exists keeps its password: change it in the UI, not in .env.
airflow users create \
    --username "$AIRFLOW_ADMIN_USER" \
    --password "$AIRFLOW_ADMIN_PASSWORD" \
    --firstname Airflow \
    --lastname Administrator \
    --email admin@localhost.invalid \
    --role Admin

# One per target of include/targets.yaml. Airflow never starts a task whose pool is missing.
airflow pools set tidemark_primary 4 "Loads into primary at once"
airflow pools set tidemark_secondary 4 "Loads into secondary at once"
