"""What Airflow itself is set to. For examinations."""

from airflow.configuration import conf

from tidemark.core.errors import TryAgain


def most_mapped() -> int:
    """Return how many copies of a task Airflow maps at most."""
    return int(conf.getint("core", "max_map_length"))


def pools() -> list[str]:
    """Return the names of Airflow's pools, from its database: not from inside a task.

    Raises `TryAgain` where the database cannot be asked.
    """
    from airflow.models.pool import Pool  # the database's models cost seconds to import

    try:
        return [str(pool.pool) for pool in Pool.get_pools()]
    except Exception as error:  # whatever the driver of that database raises
        raise TryAgain(
            what=f"Airflow's database cannot be asked for its pools: {error}",
            do="Run this where `airflow pools list` works.",
        ) from error
