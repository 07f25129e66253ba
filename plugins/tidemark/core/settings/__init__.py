"""What people write down: tables, targets, queues and the choices of a run."""
