"""How fast it is told how fresh a thousand tables are."""
