"""Statements: read, checked against what Redshift allows, planned."""
